import { describeSystemdTrouble, unitNamed } from '../../../src/system/systemd-units.ts';
import { managedVerdict } from '../managed.ts';
import { advice, block, type Check, commands, couldNotTell, info, ok, warn } from './check.ts';

export const initChecks: readonly Check[] = [
	{
		id: 'init.systemd',
		about: 'whether systemd started this host',
		why: 'The package brings systemd units; without systemd nothing starts Sysbox, and nothing starts it in the right order',
		judge: ({ bootedBySystemd }) =>
			bootedBySystemd
				? ok('This host was started by systemd', '/run/systemd/system is there')
				: block('This host was not started by systemd', {
						evidence: '/run/systemd/system is not there',
						...advice('Use a host that boots with systemd; on WSL, set systemd=true in /etc/wsl.conf'),
					}),
	},
	{
		id: 'systemd.state',
		about: 'whether systemd has finished starting',
		why: 'A host that is still starting, or in maintenance, may start or stop units under the hands of this tool',
		judge: ({ manager }) => {
			if (manager.kind !== 'ok')
				return couldNotTell(`The state of systemd is not known: ${describeSystemdTrouble(manager)}`, 'systemctl show');
			const { state } = manager.manager;
			const evidence = `SystemState=${state}`;
			if (state === 'running') return ok('systemd is running', evidence);
			if (state === 'degraded') {
				return info('Some units of this host have failed', {
					evidence,
					...commands('See which', 'systemctl list-units --failed'),
				});
			}
			return warn(`systemd is ${state}`, {
				evidence,
				...commands('Wait until it runs', 'systemctl is-system-running --wait'),
			});
		},
	},
	{
		id: 'docker.unit',
		about: 'the unit docker.service',
		why: 'Docker is reloaded and restarted through its unit, which also says with what options it runs',
		judge: ({ docker, units }) => {
			if (units.kind !== 'ok')
				return couldNotTell(
					`The unit of Docker is not known: ${describeSystemdTrouble(units)}`,
					'systemctl show docker.service',
				);
			const unit = unitNamed(units, 'docker');
			if (unit === undefined || unit.loadState === 'not-found') {
				return warn('Docker does not run as the unit docker.service', {
					evidence: 'LoadState=not-found',
					...advice('Install Docker from a package that brings the unit'),
				});
			}
			const evidence = `LoadState=${unit.loadState} ActiveState=${unit.activeState} UnitFileState=${unit.unitFileState}`;
			if (unit.loadState === 'masked')
				return warn('The unit docker.service is masked', {
					evidence,
					...commands('Unmask it', 'systemctl unmask docker.service'),
				});
			// A second dockerd would be the answer to a start.
			if (unit.activeState !== 'active' && docker.info.kind === 'ok')
				return warn(`Docker answers, but the unit docker.service is ${unit.activeState}`, {
					evidence,
					...advice('Find out what runs dockerd here; this tool reloads and restarts docker.service'),
				});
			if (unit.activeState !== 'active')
				return warn(`The unit docker.service is ${unit.activeState}`, {
					evidence,
					...commands('Start it', 'systemctl start docker'),
				});
			const socket = unitNamed(units, 'docker.socket');
			if (unit.unitFileState === 'disabled' && socket?.unitFileState === 'enabled')
				return info('Docker is started by its first use after a boot, not by the boot', {
					evidence: `${evidence}; docker.socket UnitFileState=enabled`,
					...commands('Start it at boot, so that containers come back by themselves', 'systemctl enable docker'),
				});
			if (unit.unitFileState === 'disabled')
				return info('Docker runs, and will not be started at the next boot', {
					evidence,
					...commands('Start it at boot', 'systemctl enable docker'),
				});
			return ok('Docker runs as the unit docker.service', evidence);
		},
	},
	{
		id: 'virt.container',
		about: 'whether this host is a container itself',
		why: 'Sysbox needs to be root of a real kernel: in an unprivileged container it fails, and in others it is untested',
		judge: ({ container, kernel, manager }) => {
			const virtualization = manager.kind === 'ok' ? manager.manager.virtualization : '';
			const evidence = `Virtualization=${virtualization || 'none'}`;
			// WSL is a container by systemd's count, and has a check of its own.
			if (container === undefined || container === 'wsl' || (kernel.kind === 'ok' && kernel.value.wsl)) {
				return ok('This is no container', evidence);
			}
			return warn(`This host is itself a container (${container})`, {
				evidence:
					virtualization === '' ? 'a mark that containers have: /run/systemd/container or /.dockerenv' : evidence,
				...advice('Use a machine or a virtual machine for CI that matters'),
			});
		},
	},
	{
		id: 'wsl',
		about: 'whether this is the Windows Subsystem for Linux',
		why: 'On WSL Sysbox works with an engine inside of the distribution, not with Docker Desktop, and its kernel is another',
		judge: ({ kernel }) => {
			if (kernel.kind !== 'ok') return couldNotTell('Whether this is WSL is not known', kernel.why);
			return kernel.value.wsl
				? warn('This is the Windows Subsystem for Linux', {
						evidence: kernel.value.release,
						...advice(
							'Fit for trying it out; its kernel has no headers, and commits of images failed on older ones (nestybox/sysbox#868)',
						),
					})
				: ok('This is not WSL', kernel.value.release);
		},
	},
	{
		id: 'config.managed',
		about: 'Ansible, Puppet, Chef, Salt or CFEngine on this host, and a daemon.json that links into a repository',
		why: 'What writes configuration by itself takes back what this tool changes, or changes it under its hands',
		judge: managedVerdict,
	},
	{
		id: 'updates.unattended',
		about: 'whether packages are upgraded by themselves',
		why: 'A new Docker can need a newer Sysbox: upgraded overnight, it stops the jobs of the morning',
		judge: ({ units }) => {
			const unit = unitNamed(units, 'unattended-upgrades');
			if (units.kind !== 'ok')
				return couldNotTell(
					`Whether packages are upgraded by themselves is not known: ${describeSystemdTrouble(units)}`,
					'systemctl show',
				);
			return unit?.activeState === 'active'
				? info('unattended-upgrades is active, and may upgrade Docker', {
						evidence: 'unattended-upgrades.service is active',
						...advice(
							'Name the Docker packages in Unattended-Upgrade::Package-Blacklist, and upgrade them together with Sysbox',
						),
					})
				: ok('unattended-upgrades is not active', `unattended-upgrades.service: ${unit?.activeState ?? 'not there'}`);
		},
	},
];
