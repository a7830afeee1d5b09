import type { Engine } from '../state.ts';
import { type Call, type Exit, type Program, type Scope, UnsimulatedCommand } from '../world.ts';

interface Link {
	readonly name: string;
	readonly address: string;
	readonly prefix: number;
	readonly kind: 'loopback' | 'ether';
	readonly up: boolean;
}

function links(scope: Scope): readonly Link[] {
	const { network, docker } = scope.world.state;
	if (scope.inside !== undefined && scope.inside.container.options.networkMode !== 'host') {
		const { container } = scope.inside;
		const own: Link[] = [{ name: 'lo', address: '127.0.0.1', prefix: 8, kind: 'loopback', up: true }];
		if (container.ip !== '') own.push({ name: 'eth0', address: container.ip, prefix: 16, kind: 'ether', up: true });
		return [...own, ...(container.engine === undefined ? [] : bridges(container.engine))];
	}
	return [
		{ name: 'lo', address: '127.0.0.1', prefix: 8, kind: 'loopback', up: true },
		{ name: network.device, address: network.address, prefix: network.prefix, kind: 'ether', up: true },
		...bridges(docker.engine),
	];
}

function bridges(engine: Engine): Link[] {
	return engine.networks
		.filter(n => n.driver === 'bridge')
		.map(n => ({
			name: n.name === 'bridge' ? 'docker0' : `br-${n.id.slice(0, 12)}`,
			address: n.gateway,
			prefix: Number(n.subnet.split('/')[1] ?? 16),
			kind: 'ether',
			up: engine.containers.some(c => c.options.networkMode === n.name && c.ip !== ''),
		}));
}

const network = (address: string, prefix: number): string => {
	const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
	const base = number - (number % 2 ** (32 - prefix));
	return [24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256).join('.');
};

/** `ip [-j] [-4] [-o] addr|route|link`, with `show`, `dev NAME` and `get ADDRESS`. */
export const ip: Program = (scope, call) => {
	const words = call.argv.slice(1);
	const flags = new Set(words.filter(w => w.startsWith('-')).map(w => w.replace('--', '-')));
	const json = flags.has('-j') || flags.has('-json');
	const [what = '', ...rest] = words.filter(w => !w.startsWith('-'));
	const named = rest.filter(w => !['show', 'list', 'ls', 'dev', 'table', 'main'].includes(w));
	if (what.startsWith('a')) return addresses(scope, call, json, flags.has('-o'), named[0]);
	if (what.startsWith('r')) return routes(scope, call, json, rest);
	if (what.startsWith('l')) {
		for (const link of links(scope)) call.io.out(json ? '' : `${link.name}: <UP> mtu 1500\n`);
		if (json)
			call.io.out(
				`${JSON.stringify(links(scope).map((l, n) => ({ ifindex: n + 1, ifname: l.name, operstate: l.up ? 'UP' : 'DOWN' })))}\n`,
			);
		return 0;
	}
	throw new UnsimulatedCommand(call.argv, `ip ${what}`);
};

function addresses(scope: Scope, call: Call, json: boolean, one: boolean, device: string | undefined): Exit {
	const shown = links(scope)
		.map((link, n) => ({ link, n: n + 1 }))
		.filter(({ link }) => device === undefined || link.name === device);
	if (shown.length === 0) {
		call.io.err(`Device "${device}" does not exist.\n`);
		return 1;
	}
	if (json) {
		call.io.out(
			`${JSON.stringify(
				shown.map(({ link, n }) => ({
					ifindex: n,
					ifname: link.name,
					flags:
						link.kind === 'loopback'
							? ['LOOPBACK', 'UP', 'LOWER_UP']
							: link.up
								? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP']
								: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'],
					mtu: link.kind === 'loopback' ? 65_536 : 1500,
					operstate: link.kind === 'loopback' ? 'UNKNOWN' : link.up ? 'UP' : 'DOWN',
					link_type: link.kind,
					addr_info: [
						{
							family: 'inet',
							local: link.address,
							prefixlen: link.prefix,
							scope: link.kind === 'loopback' ? 'host' : 'global',
							label: link.name,
						},
					],
				})),
			)}\n`,
		);
		return 0;
	}
	for (const { link, n } of shown) {
		if (one)
			call.io.out(
				`${n}: ${link.name}    inet ${link.address}/${link.prefix} scope ${link.kind === 'loopback' ? 'host' : 'global'} ${link.name}\\       valid_lft forever preferred_lft forever\n`,
			);
		else
			call.io.out(
				`${n}: ${link.name}: <${link.kind === 'loopback' ? 'LOOPBACK,UP,LOWER_UP' : 'BROADCAST,MULTICAST,UP,LOWER_UP'}> mtu 1500 state ${link.up ? 'UP' : 'DOWN'}\n    inet ${link.address}/${link.prefix} scope global ${link.name}\n       valid_lft forever preferred_lft forever\n`,
			);
	}
	return 0;
}

function routes(scope: Scope, call: Call, json: boolean, rest: readonly string[]): Exit {
	const host = scope.inside === undefined;
	const { network: own } = scope.world.state;
	const all = links(scope).filter(l => l.kind !== 'loopback');
	const device = host ? own.device : 'eth0';
	const gateway = host ? own.gateway : (all[0]?.address ?? '172.17.0.2').replace(/\d+$/, '1');
	if (rest[0] === 'get') {
		const target = rest[1] ?? '';
		const direct = all.find(l => network(target, l.prefix) === network(l.address, l.prefix));
		const row =
			direct === undefined
				? { dst: target, gateway, dev: device, prefsrc: all[0]?.address ?? '', flags: [], uid: 0, cache: [] }
				: { dst: target, dev: direct.name, prefsrc: direct.address, flags: [], uid: 0, cache: [] };
		call.io.out(
			json
				? `${JSON.stringify([row])}\n`
				: `${target}${direct === undefined ? ` via ${gateway}` : ''} dev ${row.dev} src ${row.prefsrc} uid 0 \n    cache \n`,
		);
		return 0;
	}
	const rows = [
		{ dst: 'default', gateway, dev: device, protocol: 'dhcp', metric: 100, flags: [] as string[] },
		...all.map(l => ({
			dst: `${network(l.address, l.prefix)}/${l.prefix}`,
			dev: l.name,
			protocol: 'kernel',
			scope: 'link',
			prefsrc: l.address,
			flags: l.up ? ([] as string[]) : ['linkdown'],
		})),
	].filter(r => (rest[0] !== 'default' && rest[1] !== 'default' ? true : r.dst === 'default'));
	if (json) call.io.out(`${JSON.stringify(rows)}\n`);
	else
		for (const r of rows)
			call.io.out(
				`${r.dst}${'gateway' in r ? ` via ${r.gateway}` : ''} dev ${r.dev} proto ${r.protocol}${'prefsrc' in r ? ` scope link src ${r.prefsrc}` : ''}\n`,
			);
	return 0;
}

/** A small web client: what a probe asks a registry or a server in the same engine. */
export const wget: Program = (scope, call) => {
	const url =
		call.argv.slice(1).find(a => /^(?:https?:\/\/)?[\w.]+(?::\d+)?(?:\/|$)/.test(a) && !a.startsWith('-')) ?? '';
	const [, host = '', port = '80', path = '/'] = /^(?:https?:\/\/)?([^:/]+)(?::(\d+))?(\/.*)?$/.exec(url) ?? [];
	const engine =
		scope.inside?.container.engine ??
		(scope.inside === undefined ? scope.world.state.docker.engine : scope.inside.engine);
	const target = engine.containers.find(
		c =>
			c.status === 'running' &&
			((['localhost', '127.0.0.1'].includes(host) && c.options.ports.some(p => p.split(':').at(-2) === port)) ||
				c.name === host ||
				c.ip === host),
	);
	if (target === undefined) {
		call.io.err(
			scope.world.state.internet && /\.[a-z]+$/.test(host)
				? ''
				: `wget: can't connect to remote host (${host}): Connection refused\n`,
		);
		return scope.world.state.internet && /\.[a-z]+$/.test(host) ? 0 : 1;
	}
	const catalog = [...new Set(Object.keys(target.registry ?? {}).map(name => name.replace(/:[^:]*$/, '')))];
	call.io.out(
		target.registry === undefined
			? 'ok\n'
			: path.startsWith('/v2/_catalog')
				? `${JSON.stringify({ repositories: catalog })}\n`
				: '{}',
	);
	return 0;
};
