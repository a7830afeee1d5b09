/** The architecture as rules: what may know what. docs/architecture.md has the picture. */
const only = (name, from, allowed, comment) => ({
	name,
	severity: 'error',
	comment,
	from: { path: from },
	to: { path: '^(src|steps|templates)/', pathNot: [from, ...allowed] },
});

module.exports = {
	forbidden: [
		only(
			'core-is-pure',
			'^src/core/',
			['^src/host/port\\.ts$', '^src/edit/'],
			'The vocabulary and the engine know the port and nothing behind it.',
		),
		only('edit-is-pure', '^src/edit/', [], 'Editors are functions of bytes.'),
		only('facts-are-parsers', '^src/facts/', ['^src/core/', '^src/host/port\\.ts$'], 'Parsers see text, and the port.'),
		only(
			'the-switch-is-actions',
			'^src/switch/',
			['^src/core/', '^src/facts/', '^src/host/port\\.ts$'],
			'It says what is armed and taken away; who carries that out is not its matter.',
		),
		only(
			'sysbox-is-a-domain',
			'^src/sysbox/',
			['^src/core/', '^src/facts/', '^src/host/port\\.ts$'],
			'What Sysbox is called, and its containers around a stop of it: for the steps and for revert.',
		),
		only('knowledge-is-data', '^src/knowledge/', ['^src/core/'], 'Tables with sources.'),
		only(
			'steps-see-ports-only',
			'^steps/',
			[
				'^src/core/',
				'^src/facts/',
				'^src/edit/',
				'^src/knowledge/',
				'^src/switch/',
				'^src/sysbox/',
				'^src/host/port\\.ts$',
				'^src/templates\\.ts$',
			],
			'A step reads, judges, asks and plans; it holds no door to the machine.',
		),
		only(
			'ui-shows-the-core',
			'^src/ui/',
			['^src/core/', '^src/report/glyphs\\.ts$'],
			'The wizard shows the state and answers questions; it knows no host, no step and no file.',
		),
		only('plans-are-data', '^src/plan/', ['^src/core/', '^src/edit/'], 'A saved plan is compared, never executed.'),
		only('readers-read-events', '^src/report/', ['^src/core/'], 'Text and JSON are readers of events.'),
		{
			name: 'no-effects-inside',
			severity: 'error',
			comment: 'Effects only at the edges.',
			from: { path: '^(src/(core|facts|edit|knowledge|report)/|steps/)' },
			to: { dependencyTypes: ['core'] },
		},
		{
			name: 'no-execa-inside',
			severity: 'error',
			from: { pathNot: '^src/(host/local|commands)/' },
			to: { path: 'node_modules/execa' },
		},
		{
			name: 'no-cycles',
			severity: 'error',
			from: {},
			to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
		},
		only(
			'the-simulation-knows-the-port',
			'^src/simulation/',
			['^src/host/port\\.ts$'],
			'A machine of its own behind the port; it knows nothing of the product that runs on it.',
		),
		{
			name: 'simulation-in-demos-only',
			severity: 'error',
			comment: 'What runs on a real host never meets the simulated one.',
			from: { path: '^(src|steps)/', pathNot: '^src/(simulation/|commands/machine\\.ts$)' },
			to: { path: '^src/simulation/' },
		},
		{
			name: 'simulation-starts-no-process',
			severity: 'error',
			comment: 'A demo runs on any platform and starts nothing there.',
			from: { path: '^src/simulation/' },
			to: { path: '^(node:)?(child_process|cluster|worker_threads)$|node_modules/execa' },
		},
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
