import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	changesOnly,
	type DaemonJsonContext,
	type DaemonJsonPlan,
	type DaemonJsonReason,
	type DaemonJsonView,
	type DesiredDaemonJson,
	flagConflicts,
	planDaemonJson,
	readDaemonJson,
} from '../../src/docker/daemon-json.ts';
import { parseDockerdFlags } from '../../src/docker/dockerd-flags.ts';
import { passesPackageGuard } from '../../src/text/json-edit.ts';
import { type JsonObjectDoc, readJsonDoc } from '../../src/text/json-text.ts';
import {
	daemonJsonText,
	EVERY_EDIT,
	PROPERTY_TIMEOUT,
	parseExactly,
	replay,
	textOf,
	utf8,
	withKey,
} from './support.ts';

const plan = (text: string | 'missing', desired: DesiredDaemonJson, context?: DaemonJsonContext): DaemonJsonPlan =>
	planDaemonJson(text === 'missing' ? text : utf8(text), desired, context);

function edited(result: DaemonJsonPlan): Extract<DaemonJsonPlan, { kind: 'edited' }> {
	if (result.kind !== 'edited') {
		throw new Error(result.kind === 'refused' ? result.problem.message : 'unchanged');
	}
	return result;
}

const planned = (text: string | 'missing', desired: DesiredDaemonJson): string =>
	textOf(edited(plan(text, desired)).bytes);

function view(text: string | 'missing'): DaemonJsonView {
	const read = readDaemonJson(text === 'missing' ? text : utf8(text));
	if (read.kind === 'refused') {
		throw new Error(read.problem.message);
	}
	return read.view;
}

const SYSBOX = { name: 'sysbox-runc', path: '/usr/bin/sysbox-runc' };
const POOLS = [{ base: '172.25.0.0/16', size: 24 }];
const ALL: DesiredDaemonJson = { runtime: SYSBOX, bip: '172.20.0.1/16', pools: POOLS };

const FULL_FILE = `{
    "runtimes": {
        "sysbox-runc": {
            "path": "/usr/bin/sysbox-runc"
        }
    },
    "bip": "172.20.0.1/16",
    "default-address-pools": [
        {
            "base": "172.25.0.0/16",
            "size": 24
        }
    ]
}
`;

describe('planning daemon.json', () => {
	it.each([['missing'], [''], ['\n']])('writes a whole new file over %j', text => {
		const result = edited(plan(text, ALL));
		expect(textOf(result.bytes)).toBe(FULL_FILE);
		expect(result.keys).toEqual(['runtimes', 'bip', 'default-address-pools']);
		expect(passesPackageGuard(FULL_FILE)).toEqual({ bip: true, pools: true });
	});

	it('finds nothing to do in the file it wrote', () => {
		expect(plan(FULL_FILE, ALL)).toEqual({ kind: 'unchanged' });
	});

	it.each([
		['missing', {}],
		['', { withoutRuntime: 'sysbox-runc', withoutKeys: ['bip'] }],
		['{"debug": true}', {}],
		['{"debug": true}', { withoutRuntime: 'sysbox-runc', withoutKeys: ['bip', 'default-runtime'] }],
	] satisfies [string, DesiredDaemonJson][])('changes nothing in %j for the wish %j', (text, desired) => {
		expect(plan(text, desired)).toEqual({ kind: 'unchanged' });
	});

	it('adds to a tab-indented file of a real host and keeps the rest', () => {
		const before =
			'{\n\t"default-runtime": "nvidia",\n\t"runtimes": {\n\t\t"nvidia": {\n\t\t\t"args": [],\n\t\t\t"path": "nvidia-container-runtime"\n\t\t}\n\t},\n\t"log-opts": {"max-size": "10m"}\n}\n';
		expect(planned(before, ALL)).toBe(
			'{\n\t"default-runtime": "nvidia",\n\t"runtimes": {\n\t\t"nvidia": {\n\t\t\t"args": [],\n\t\t\t"path": "nvidia-container-runtime"\n\t\t},\n\t\t"sysbox-runc": {\n\t\t\t"path": "/usr/bin/sysbox-runc"\n\t\t}\n\t},\n\t"log-opts": {"max-size": "10m"},\n    "bip": "172.20.0.1/16",\n    "default-address-pools": [\n        {\n            "base": "172.25.0.0/16",\n            "size": 24\n        }\n    ]\n}\n',
		);
	});

	it('keeps the arguments of an existing entry and changes its path only', () => {
		expect(
			planned('{"runtimes": {"sysbox-runc": {"runtimeArgs": ["--x"], "path": "/old"}}}', { runtime: SYSBOX }),
		).toBe('{"runtimes": {"sysbox-runc": {"runtimeArgs": ["--x"], "path": "/usr/bin/sysbox-runc"}}}');
	});

	it.each([
		[
			'an entry with arguments',
			'{"runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc", "runtimeArgs": ["--x"]}}}',
		],
		['an entry in the case that Go accepts too', '{"runtimes": {"sysbox-runc": {"Path": "/usr/bin/sysbox-runc"}}}'],
		[
			'an entry by type with the same binary',
			'{"runtimes": {"sysbox-runc": {"runtimeType": "io.containerd.runc.v2", "options": {"BinaryName": "/usr/bin/sysbox-runc"}}}}',
		],
	])('leaves %s alone', (_, text) => {
		expect(plan(text, { runtime: SYSBOX })).toEqual({ kind: 'unchanged' });
	});

	it('does not report a runtime by type that it leaves alone', () => {
		const entry = { runtimeType: 't', options: { BinaryName: SYSBOX.path } };
		const result = edited(
			plan(JSON.stringify({ runtimes: { 'sysbox-runc': entry } }), { runtime: SYSBOX, bip: '1.1.1.1/8' }),
		);
		expect(result.keys).toEqual(['bip']);
		expect(result.relaid).toEqual([]);
	});

	it('takes no runtime out of a list that is null', () => {
		const result = edited(plan('{"runtimes": null}', { withoutRuntime: 'sysbox-runc', bip: '1.1.1.1/8' }));
		expect(result.keys).toEqual(['bip']);
		expect(result.relaid).toEqual([]);
	});

	it('changes a path in the case that the file uses', () => {
		expect(planned('{"runtimes": {"sysbox-runc": {"Path": "/old"}}}', { runtime: SYSBOX })).toBe(
			'{"runtimes": {"sysbox-runc": {"Path": "/usr/bin/sysbox-runc"}}}',
		);
	});

	it.each([
		['{"runtimes": null}'],
		['{"runtimes": {"sysbox-runc": null}}'],
		['{"runtimes": {"sysbox-runc": {}}}'],
		['{"runtimes": {"sysbox-runc": {"path": null}}}'],
		['{"runtimes": {"sysbox-runc": {"path": ""}}}'],
	])('registers the runtime in %s', text => {
		expect(JSON.parse(planned(text, { runtime: SYSBOX }))).toEqual({
			runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
		});
	});

	it('replaces null values of the keys it sets', () => {
		expect(
			JSON.parse(
				planned('{"bip": null, "default-address-pools": null, "default-runtime": null}', {
					...ALL,
					defaultRuntime: 'sysbox-runc',
				}),
			),
		).toEqual({
			bip: '172.20.0.1/16',
			'default-address-pools': POOLS,
			'default-runtime': 'sysbox-runc',
			runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
		});
	});

	it('tells keys that change from keys that are only laid out anew', () => {
		const result = edited(plan('{\n\t"bip": "172.20.0.1/16",\n\t"mtu": 1400\n}', ALL));
		expect(result.keys).toEqual(['runtimes', 'default-address-pools']);
		expect(result.relaid).toEqual(['bip']);
	});

	it('leaves an explicit empty runtimes behind, which a reload needs', () => {
		expect(
			planned('{\n  "runtimes": {\n    "sysbox-runc": {"path": "/usr/bin/sysbox-runc"}\n  }\n}\n', {
				withoutRuntime: 'sysbox-runc',
			}),
		).toBe('{\n  "runtimes": {}\n}\n');
	});

	it('takes one runtime out and leaves the others', () => {
		const result = edited(
			plan('{"runtimes":{"a":{"path":"/a"},"sysbox-runc":{"path":"/s"},"b":{"path":"/b"}}}', {
				withoutRuntime: 'sysbox-runc',
			}),
		);
		expect(textOf(result.bytes)).toBe('{"runtimes":{"a":{"path":"/a"},"b":{"path":"/b"}}}');
		expect(result.keys).toEqual(['runtimes']);
	});

	it('takes whole keys out', () => {
		expect(
			planned('{"bip": "1.1.1.1/8", "default-runtime": "gone", "mtu": 1}', { withoutKeys: ['bip', 'default-runtime'] }),
		).toBe('{ "mtu": 1}');
	});

	it('sets the default runtime together with the runtime', () => {
		expect(JSON.parse(planned('missing', { runtime: SYSBOX, defaultRuntime: 'sysbox-runc' }))).toMatchObject({
			'default-runtime': 'sysbox-runc',
		});
	});

	it.each([['runc'], ['io.containerd.runc.v2'], ['io.containerd.kata.v2']])(
		'accepts %s as default runtime without an entry',
		defaultRuntime => {
			expect(plan('{}', { defaultRuntime }).kind).toBe('edited');
		},
	);

	it('accepts a default runtime that a flag defines', () => {
		const text = '{"default-runtime": "nvidia"}';
		expect(plan(text, { runtime: SYSBOX }).kind).toBe('refused');
		expect(plan(text, { runtime: SYSBOX }, { flagRuntimes: ['nvidia'] }).kind).toBe('edited');
	});

	it('reports edits that can be replayed', () => {
		const before = '\ufeff{"ü": 1}\r\n';
		const result = edited(plan(before, ALL));
		expect(result.edits).toHaveLength(3);
		expect(textOf(replay(utf8(before), result.edits))).toBe(textOf(result.bytes));
	});
});

describe('refusing', () => {
	it.each([
		['a file with a comment', '{\n// x\n}', ALL, 'comment', 2, 1],
		['an array', '[]', ALL, 'not-an-object', 1, 1],
		['runtimes as an array', '{\n  "runtimes": []\n}', ALL, 'wrong-type', 2, 15],
		['an entry as a string', '{"runtimes": {"x": "/x"}}', ALL, 'wrong-type', 1, 20],
		['a path as a number', '{"runtimes": {"x": {"path": 1}}}', ALL, 'wrong-type', 1, 29],
		['arguments as a string', '{"runtimes": {"x": {"runtimeArgs": "-d"}}}', ALL, 'wrong-type', 1, 36],
		['arguments with a number', '{"runtimes": {"x": {"runtimeArgs": ["-d", 1]}}}', ALL, 'wrong-type', 1, 43],
		['a runtime type as a list', '{"runtimes": {"x": {"runtimeType": []}}}', ALL, 'wrong-type', 1, 36],
		['options as a list', '{"runtimes": {"x": {"options": []}}}', ALL, 'wrong-type', 1, 32],
		['path and runtimeType', '{"runtimes": {"x": {"path": "/x", "runtimeType": "t"}}}', ALL, 'path-and-type', 1, 20],
		[
			'path and runtimeType in another case',
			'{"runtimes": {"x": {"Path": "/x", "RuntimeType": "t"}}}',
			ALL,
			'path-and-type',
			1,
			20,
		],
		['a path in two cases', '{"runtimes": {"x": {"path": "/x", "Path": "/y"}}}', ALL, 'duplicate-key', 1, 35],
		['a runtime called runc', '{"runtimes": {"runc": {"path": "/x"}}}', ALL, 'reserved-name', 1, 15],
		[
			'our entry by type with another binary',
			'{"runtimes": {"sysbox-runc": {"runtimeType": "t"}}}',
			ALL,
			'registered-by-type',
			1,
			30,
		],
		['bip as a number', '{"bip": 17}', ALL, 'wrong-type', 1, 9],
		['pools as an object', '{"default-address-pools": {}}', ALL, 'wrong-type', 1, 27],
		['a pool as a string', '{"default-address-pools": ["x"]}', ALL, 'wrong-type', 1, 28],
		['a pool as null', '{"default-address-pools": [null]}', ALL, 'wrong-type', 1, 28],
		['a pool without a base', '{"default-address-pools": [{"size": 24}]}', ALL, 'wrong-type', 1, 28],
		['a base as a number', '{"default-address-pools": [{"base": 1, "size": 24}]}', ALL, 'wrong-type', 1, 37],
		['a pool without a size', '{"default-address-pools": [{"base": "x"}]}', ALL, 'wrong-type', 1, 28],
		['a size as a string', '{"default-address-pools": [{"base": "x", "size": "24"}]}', ALL, 'wrong-type', 1, 50],
		['a size as a fraction', '{"default-address-pools": [{"base": "x", "size": 24.0}]}', ALL, 'wrong-type', 1, 50],
		[
			'a base in two cases',
			'{"default-address-pools": [{"base": "x", "Base": "y", "size": 1}]}',
			ALL,
			'duplicate-key',
			1,
			42,
		],
		['default-runtime as a list', '{"default-runtime": []}', ALL, 'wrong-type', 1, 21],
		['hosts as a string', '{"hosts": "fd://"}', ALL, 'wrong-type', 1, 11],
		['a host as a number', '{"hosts": [1]}', ALL, 'wrong-type', 1, 12],
		['live-restore as a string', '{"live-restore": "true"}', ALL, 'wrong-type', 1, 18],
		['userns-remap as a boolean', '{"userns-remap": true}', ALL, 'wrong-type', 1, 18],
		['data-root as a number', '{"data-root": 1}', ALL, 'wrong-type', 1, 15],
		['a feature as a string', '{"features": {"buildkit": "on"}}', ALL, 'wrong-type', 1, 27],
		['features as a list', '{"features": []}', ALL, 'wrong-type', 1, 14],
		['exec-opts as an object', '{"exec-opts": {}}', ALL, 'wrong-type', 1, 15],
		['storage-driver as a number', '{"storage-driver": 1}', ALL, 'wrong-type', 1, 20],
		['a key in another case', '{"debug": true, "BIP": "x"}', ALL, 'unknown-key', 1, 17],
		[
			'an undefined default runtime in the file',
			'{\n\t"default-runtime": "x"\n}',
			ALL,
			'undefined-default-runtime',
			2,
			21,
		],
		['an undefined default runtime as wish', '{}', { defaultRuntime: 'x' }, 'undefined-default-runtime', 1, 1],
		[
			'an undefined default runtime as wish without a file',
			'missing',
			{ defaultRuntime: 'x' },
			'undefined-default-runtime',
			1,
			1,
		],
		['a default runtime with a slash', '{}', { defaultRuntime: '/a.b' }, 'undefined-default-runtime', 1, 1],
		[
			'taking out the default runtime',
			'{"default-runtime": "s", "runtimes": {"s": {"path": "/s"}}}',
			{ withoutRuntime: 's' },
			'undefined-default-runtime',
			1,
			21,
		],
		[
			'taking out all runtimes below the default runtime',
			'{"default-runtime": "s", "runtimes": {"s": {"path": "/s"}}}',
			{ withoutKeys: ['runtimes'] },
			'undefined-default-runtime',
			1,
			21,
		],
		['the wish for a runtime called runc', '{}', { runtime: { name: 'runc', path: '/x' } }, 'reserved-name', 1, 1],
		['a runtime without a name', '{}', { runtime: { name: '', path: '/x' } }, 'invalid-wish', 1, 1],
		['a runtime without a path', 'missing', { runtime: { name: 'x', path: '' } }, 'invalid-wish', 1, 1],
		['adding and taking out one runtime', '{}', { runtime: SYSBOX, withoutRuntime: SYSBOX.name }, 'invalid-wish', 1, 1],
		['an empty default runtime', '{}', { defaultRuntime: '' }, 'invalid-wish', 1, 1],
		['a bip without a prefix length', '{}', { bip: '172.20.0.1' }, 'invalid-wish', 1, 1],
		['a bip that the installer would not see', '{}', { bip: 'fd00::1/64' }, 'invalid-wish', 1, 1],
		['a pool without a base as wish', '{}', { pools: [{ base: '', size: 24 }] }, 'invalid-wish', 1, 1],
		['a pool of half a size as wish', '{}', { pools: [{ base: 'x', size: 0.5 }] }, 'invalid-wish', 1, 1],
		['setting and taking out one key', '{}', { bip: '1.1.1.1/8', withoutKeys: ['bip'] }, 'invalid-wish', 1, 1],
		[
			'setting and taking out the pools',
			'{}',
			{ pools: [], withoutKeys: ['default-address-pools'] },
			'invalid-wish',
			1,
			1,
		],
		[
			'setting and taking out the default runtime',
			'{}',
			{ defaultRuntime: 'runc', withoutKeys: ['default-runtime'] },
			'invalid-wish',
			1,
			1,
		],
		['taking out a key below a runtime', '{}', { runtime: SYSBOX, withoutKeys: ['runtimes'] }, 'invalid-wish', 1, 1],
	] satisfies [string, string, DesiredDaemonJson, DaemonJsonReason, number, number][])(
		'%s, with the place',
		(_, text, desired, reason, line, column) => {
			expect(plan(text, desired)).toMatchObject({ kind: 'refused', problem: { reason, line, column } });
		},
	);

	it('shows no line of the file for a problem of the wish', () => {
		expect(plan('{}', { defaultRuntime: 'x' })).toMatchObject({ problem: { caret: '', offset: 0 } });
		expect(plan('{}', { bip: 'x' })).toMatchObject({ problem: { caret: '' } });
	});

	it('accepts a reserved-looking name in another case and a dotted runtime', () => {
		expect(plan('{"runtimes": {"Runc": {"path": "/x"}}, "default-runtime": "a.b"}', ALL).kind).toBe('edited');
	});

	it('does so before any part of the wish is planned', () => {
		expect(plan('{"bip": "1.1.1.1/8", "runtimes": {"sysbox-runc": {"runtimeType": "t"}}}', ALL)).not.toHaveProperty(
			'bytes',
		);
	});
});

describe('reading daemon.json', () => {
	it('gives the keys that matter', () => {
		expect(
			view(`{
				"runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc", "runtimeArgs": ["-d"]},
					"shim": {"runtimeType": "io.containerd.runc.v2", "options": {"BinaryName": "/b"}}, "nil": null},
				"default-runtime": "sysbox-runc", "bip": "172.20.0.1/16",
				"default-address-pools": [{"base": "172.25.0.0/16", "size": 24}],
				"hosts": ["fd://"], "live-restore": true, "userns-remap": "sysbox", "data-root": "/d",
				"features": {"containerd-snapshotter": false, "x": null}, "exec-opts": ["native.cgroupdriver=cgroupfs"],
				"storage-driver": "overlay2", "unknown": 1}`),
		).toEqual({
			source: 'object',
			bom: false,
			keys: [
				'runtimes',
				'default-runtime',
				'bip',
				'default-address-pools',
				'hosts',
				'live-restore',
				'userns-remap',
				'data-root',
				'features',
				'exec-opts',
				'storage-driver',
				'unknown',
			],
			directives: expect.arrayContaining(['features', 'unknown']),
			runtimes: new Map([
				['sysbox-runc', { path: '/usr/bin/sysbox-runc', runtimeArgs: ['-d'] }],
				['shim', { runtimeType: 'io.containerd.runc.v2', binaryName: '/b' }],
				['nil', {}],
			]),
			defaultRuntime: 'sysbox-runc',
			bip: '172.20.0.1/16',
			pools: POOLS,
			hosts: ['fd://'],
			liveRestore: true,
			usernsRemap: 'sysbox',
			dataRoot: '/d',
			features: new Map([
				['containerd-snapshotter', false],
				['x', false],
			]),
			execOpts: ['native.cgroupdriver=cgroupfs'],
			storageDriver: 'overlay2',
		});
	});

	it('gives an empty view of a missing and of an empty file', () => {
		const nothing = { bom: false, keys: [], directives: [], runtimes: new Map() };
		expect(view('missing')).toEqual({ source: 'missing', ...nothing });
		expect(view(' ')).toEqual({ source: 'empty', ...nothing });
	});

	it('leaves out null values and tells of a byte order mark', () => {
		expect(view('\ufeff{"bip": null}')).toEqual({
			source: 'object',
			bom: true,
			keys: ['bip'],
			directives: ['bip'],
			runtimes: new Map(),
		});
	});

	it('does not mind a default runtime that only a flag may define', () => {
		expect(view('{"default-runtime": "x"}').defaultRuntime).toBe('x');
	});

	it.each([
		'builder',
		'cluster-store-opts',
		'default-network-opts',
		'default-ulimits',
		'features',
		'log-opts',
		'runtimes',
	])('does not flatten %s', key => {
		expect(view(JSON.stringify({ [key]: { x: null } })).directives).toEqual([key]);
	});

	it('flattens objects as dockerd does before it compares them with flags', () => {
		expect(
			view('{"proxies": {"http-proxy": "x"}, "log-opts": {"max-size": "1m"}, "runtimes": {"a": null}}').directives,
		).toEqual(['http-proxy', 'log-opts', 'runtimes']);
	});
});

describe('checking that an edit touches one key only', () => {
	const doc = (text: string): JsonObjectDoc => {
		const read = readJsonDoc(utf8(text));
		if (read.kind !== 'object') {
			throw new Error('not read');
		}
		return read;
	};

	it.each([
		['{"a": 1, "k": 1}', '{"a": 1, "k": 2}', true],
		['{"a": 1}', '{"a":1,"k":2}', true],
		['{"a": 1, "k": 1}', '{"a": 1}', true],
		['{"a": 1}', '{"a": 2, "k": 1}', false],
		['{"a": 1}', '{"a": 1.0}', false],
		['{"a": 1, "b": 2}', '{"b": 2, "a": 1}', false],
		['{"a": 1}', '{"\\u0061": 1}', false],
		['{"a": 1}', '{"k": 1}', false],
		['{}', '{"k": 1, "x": 1}', false],
	])('%s → %s: %s', (before, after, only) => {
		expect(changesOnly(doc(before), doc(after), 'k')).toBe(only);
	});
});

describe('flags beside the file', () => {
	it.each([
		['hosts', 'host'],
		['labels', 'label'],
		['default-address-pools', 'default-address-pool'],
		['insecure-registries', 'insecure-registry'],
		['registry-mirrors', 'registry-mirror'],
		['storage-opts', 'storage-opt'],
		['exec-opts', 'exec-opt'],
		['log-opts', 'log-opt'],
		['dns', 'dns'],
		['dns-opts', 'dns-opt'],
		['dns-search', 'dns-search'],
		['default-ulimits', 'default-ulimit'],
		['authorization-plugins', 'authorization-plugin'],
		['node-generic-resources', 'node-generic-resource'],
		['cdi-spec-dirs', 'cdi-spec-dir'],
		['default-network-opts', 'default-network-opt'],
		['cluster-store-opts', 'cluster-store-opt'],
		['features', 'feature'],
		['host-gateway-ip', 'host-gateway-ip'],
		['host-gateway-ips', 'host-gateway-ip'],
		['bip', 'bip'],
		['data-root', 'data-root'],
		['live-restore', 'live-restore'],
		['default-runtime', 'default-runtime'],
	])('the key %s clashes with --%s', (key, flag) => {
		const [given] = parseDockerdFlags([`--${flag}=x`]);
		expect(flagConflicts(['other', key], [given!])).toEqual([{ key, flag: given }]);
	});

	it('does not mind runtimes beside --add-runtime, nor different settings, nor an old name', () => {
		const argv = ['--add-runtime', 'a=/a', '-H', 'fd://', '--host-gateway-ip', '1.1.1.1', '-g', '/d'];
		expect(flagConflicts(['runtimes', 'bip', 'host-gateway', 'data-root'], parseDockerdFlags(argv))).toEqual([]);
	});

	it('counts a flag once, however often it is given', () => {
		const flags = parseDockerdFlags(['-H', 'fd://', '--host=tcp://127.0.0.1:2375']);
		expect(flagConflicts(['hosts'], flags).map(({ key, flag }) => [key, flag.flag])).toEqual([['hosts', '-H']]);
	});
});

const desired: fc.Arbitrary<DesiredDaemonJson> = fc.record(
	{
		runtime: fc.constantFrom(SYSBOX, { name: '__proto__', path: '/p' }),
		bip: fc.constantFrom('172.20.0.1/16', '10.9.8.1/24'),
		pools: fc.constantFrom(POOLS, [], [...POOLS, { base: '10.0.0.0/8', size: 20 }]),
		defaultRuntime: fc.constantFrom('runc', 'sysbox-runc', 'nvidia'),
		withoutRuntime: fc.constantFrom('kata', 'nvidia'),
	},
	{ requiredKeys: [] },
);

describe('on any file', () => {
	it(
		'a plan does what is wished and nothing else, once',
		() => {
			let kinds = 0;
			fc.assert(
				fc.property(daemonJsonText, desired, (text, wanted) => {
					const before = utf8(text);
					const result = planDaemonJson(before, wanted);
					if (result.kind === 'refused') {
						expect(result.problem.reason).toBe('undefined-default-runtime');
						return;
					}
					if (result.kind === 'unchanged') {
						return;
					}
					kinds += 1;
					expect(planDaemonJson(result.bytes, wanted)).toEqual({ kind: 'unchanged' });
					expect(textOf(replay(before, result.edits))).toBe(textOf(result.bytes));

					const old = parseExactly(text);
					let intended = old;
					if (wanted.runtime !== undefined) {
						intended = withKey(intended, ['runtimes', wanted.runtime.name, 'path'], wanted.runtime.path);
					}
					const runtimes = (intended as Record<string, unknown>)['runtimes'];
					if (wanted.withoutRuntime !== undefined && runtimes !== undefined) {
						const left = Object.entries(runtimes as object).filter(([name]) => name !== wanted.withoutRuntime);
						intended = withKey(intended, ['runtimes'], Object.fromEntries(left));
					}
					if (wanted.defaultRuntime !== undefined) {
						intended = withKey(intended, ['default-runtime'], wanted.defaultRuntime);
					}
					if (wanted.bip !== undefined) {
						intended = withKey(intended, ['bip'], wanted.bip);
						expect(passesPackageGuard(textOf(result.bytes)).bip).toBe(true);
					}
					if (wanted.pools !== undefined) {
						intended = withKey(intended, ['default-address-pools'], parseExactly(JSON.stringify(wanted.pools)));
						expect(passesPackageGuard(textOf(result.bytes)).pools).toBe(true);
					}
					const now = parseExactly(textOf(result.bytes));
					expect(now).toEqual(intended);
					const content = (all: unknown, key: string): string =>
						JSON.stringify(Object.entries(all as object).find(([name]) => name === key));
					const keys = new Set([...Object.keys(old as object), ...Object.keys(now as object)]);
					expect([...keys].filter(key => content(old, key) !== content(now, key)).sort()).toEqual(
						[...result.keys].sort(),
					);
				}),
				EVERY_EDIT,
			);
			expect(kinds).toBeGreaterThan(EVERY_EDIT.numRuns / 4);
		},
		PROPERTY_TIMEOUT,
	);
});
