import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from './bundled.mjs';
import { median, ms, ratio } from './measure.mjs';

/**
 * How soon after the signal a reload is proved, by the daemon's event: with a dockerd as quick as a real one (5 to 16 ms)
 * and with a slow one. The programs are stand-ins.
 */
export async function reloading(bench) {
	const [{ applyAction }, { reloadDocker }, { localHost }] = await Promise.all(
		['src/actions/apply-action.ts', 'src/sysbox/reload.ts', 'src/host/local/local-host.ts'].map(file =>
			bundled(bench, file),
		),
	);
	const folder = join(bench.folder, 'reloading');
	mkdirSync(folder);
	const at = name => join(folder, name);
	const program = (name, text) => writeFileSync(at(name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
	const info = runtimes =>
		JSON.stringify({
			...{ ID: 'b', Name: 'ci', ServerVersion: '29.0.0', KernelVersion: '6.8.0', OperatingSystem: 'Ubuntu 24.04' },
			...{ Architecture: 'x86_64', DockerRootDir: '/var/lib/docker', Driver: 'overlay2', DriverStatus: [] },
			...{
				Runtimes: runtimes,
				DefaultRuntime: 'runc',
				SecurityOptions: [],
				CgroupDriver: 'systemd',
				CgroupVersion: '2',
			},
			...{ LiveRestoreEnabled: false, Swarm: { LocalNodeState: 'inactive' } },
		});
	writeFileSync(at('before'), info({ runc: { path: 'runc' } }));
	writeFileSync(at('after'), info({ runc: { path: 'runc' }, 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } }));
	program('journalctl', 'exit 0');
	program(
		'docker',
		`cd '${folder}' || exit 1
case $1 in
info) if [ -e loaded ]; then cat after; else cat before; fi ;;
events) until [ -e loaded ]; do sleep 0.002; done; echo '{"Type":"daemon","Action":"reload"}'; exec sleep 5 ;;
esac`,
	);
	const host = localHost({ environment: { ...process.env, PATH: `${folder}:${process.env.PATH}` } });
	const now = () => performance.timeOrigin + performance.now();
	const action = reloadDocker([
		{ key: 'runtimes', said: '/usr/bin/sysbox-runc', loaded: 'not listed', needs: 'reload' },
	]);
	const proved = async seconds => {
		rmSync(at('loaded'), { force: true });
		program('systemctl', `date +%s%N >'${at('signal')}'\n(sleep ${seconds}; : >'${at('loaded')}') >/dev/null 2>&1 &`);
		const result = await applyAction('docker', action, {
			host,
			emit: async () => undefined,
			keep: async () => '',
			kept: async () => undefined,
			state: () => ({ actions: [] }),
			elapsed: () => performance.now(),
			pause: wait => new Promise(resolve => setTimeout(resolve, wait)),
			signal: new AbortController().signal,
		});
		const ended = now();
		if (result.kind !== 'done') throw new Error(`the reload was not proved: ${JSON.stringify(result)}`);
		return ended - Number(await signalled(host, at('signal'))) / 1e6;
	};
	const asked = async () => {
		const began = performance.now();
		await host.exec(['docker', 'info'], { timeoutMs: 10_000 });
		return performance.now() - began;
	};
	const times = { quick: [], slow: [], asked: [] };
	for (let round = -1; round < 15; round++) {
		const measured = { quick: await proved('0.01'), slow: await proved('0.06'), asked: await asked() };
		if (round >= 0) for (const [name, time] of Object.entries(measured)) times[name].push(time);
	}
	const [quick, slow, question] = [times.quick, times.slow, times.asked].map(median);
	// What dockerd takes is not ours; the rest is two starts of a program, however busy the machine is.
	for (const [took, time] of [
		[10, quick],
		[60, slow],
	]) {
		const beyond = (time - took) / question;
		bench.row(
			`a reload is proved ${took} ms and so many questions to Docker after the signal, as dockerd takes ${took} ms`,
			`${ratio(beyond)} (${ms(time)})`,
			'≤ 8',
			beyond <= 8,
		);
	}
}

async function signalled(host, path) {
	const read = await host.readFile(path);
	return read.kind === 'bytes' ? new TextDecoder().decode(read.bytes).trim() : Number.NaN;
}
