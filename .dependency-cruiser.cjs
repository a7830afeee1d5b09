/**
 * The rooms of the house and what each may import. docs/architecture.md has the same table; `npm run docs` compares them.
 * `steps` stands for each folder below steps/: a step never imports another one.
 */
const rooms = require('./scripts/rooms.json');

const inside = name => (name === 'steps' ? '^steps/[^/]+/' : `^${name}/`);

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
	name: `${room.replace('src/', '')}-imports`,
	severity: 'error',
	comment: `${room} may import ${allowed.join(', ') || 'nothing'}: docs/architecture.md.`,
	from: { path: inside(room) },
	to: {
		path: '^(src|steps|templates)/',
		pathNot: [
			...(room === 'steps' ? [] : [inside(room)]),
			...allowed.map(name => `^src/${name.replace('.', '\\.')}${name.includes('.') ? '$' : '/'}`),
		],
	},
}));

module.exports = {
	forbidden: [
		...roomRules.filter(({ from }) => from.path !== inside('steps')),
		{
			...roomRules.at(-1),
			from: { path: '^steps/([^/]+)/' },
			to: { ...roomRules.at(-1).to, pathNot: [...roomRules.at(-1).to.pathNot, '^steps/$1/'] },
		},
		{
			name: 'no-room-without-a-row',
			severity: 'error',
			comment: 'A new folder below src needs a row in `rooms` and in docs/architecture.md first.',
			from: {},
			to: {
				path: '^src/[^/]+/',
				pathNot: [
					...Object.keys(rooms)
						.filter(room => room !== 'steps')
						.map(inside),
					'^src/cli/',
				],
			},
		},
		{
			name: 'simulation-in-demos-only',
			severity: 'error',
			comment: 'What runs on a real host never meets the simulated one.',
			from: { path: '^(src|steps)/', pathNot: '^src/(simulation/|cli/machine\\.ts$)' },
			to: { path: '^src/simulation/' },
		},
		{
			name: 'simulation-starts-no-process',
			severity: 'error',
			comment: 'A demo runs on any platform and starts nothing there.',
			from: { path: '^src/simulation/' },
			to: { path: '^(node:)?(child_process|cluster|worker_threads)$|node_modules/execa' },
		},
		{
			name: 'no-effects-inside',
			severity: 'error',
			comment: 'Effects only at the edges; a digest is none, nor is the name of a parent folder.',
			from: { path: '^(src/(text|model|knowledge|system|docker|sysbox|actions|engine|view)/|steps/)' },
			to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|path)$' },
		},
		{
			name: 'no-execa-inside',
			severity: 'error',
			from: { pathNot: '^src/(host/local|cli)/' },
			to: { path: 'node_modules/execa' },
		},
		{ name: 'no-cycles', severity: 'error', comment: 'Type-only ones included.', from: {}, to: { circular: true } },
		{ name: 'product-needs-no-tests', severity: 'error', from: { path: '^(src|steps)/' }, to: { path: '^test/' } },
		{
			name: 'ink-in-ui-only',
			severity: 'error',
			from: { pathNot: '^src/ui/' },
			to: { path: 'node_modules/(ink|react)/' },
		},
	],
	options: {
		doNotFollow: { path: 'node_modules' },
		tsPreCompilationDeps: true,
		tsConfig: { fileName: 'tsconfig.json' },
		enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
	},
};
