import fc from 'fast-check';

/** Runs of a property; the seed is fixed so that CI is repeatable. */
export const FAST_CHECK = { seed: 20_260_514, numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 500) } as const;

/**
 * Runs of the property that stands for all edits of a daemon.json: a short run takes a sample, the gate sets EDIT_RUNS to
 * a hundred thousand.
 */
export const EVERY_EDIT = { ...FAST_CHECK, numRuns: Number(process.env['EDIT_RUNS'] ?? FAST_CHECK.numRuns) } as const;

/** Time for a property, so that FAST_CHECK_RUNS may be large. */
export const PROPERTY_TIMEOUT = 600_000;

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** JSON.parse which keeps numbers as `{ '#': text }`; it shares no code with the reader under test. */
export function parseExactly(text: string): unknown {
	const wrapped = text
		.replace(/^\ufeff/, '')
		.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, token =>
			token.startsWith('"') ? token : `{"#":${JSON.stringify(token)}}`,
		);
	return JSON.parse(wrapped);
}

/** The value `content` would have with one key set, by plain JavaScript means. */
export function withKey(content: unknown, path: readonly string[], value: unknown): unknown {
	const [first, ...rest] = path;
	if (first === undefined) {
		return value;
	}
	const entries = Object.entries(content ?? {});
	const index = entries.findIndex(([key]) => key === first);
	const next: [string, unknown] = [first, withKey(index === -1 ? {} : entries[index]![1], rest, value)];
	return Object.fromEntries(index === -1 ? [...entries, next] : entries.with(index, next));
}

export function withoutKey(content: unknown, path: readonly string[]): unknown {
	const [first, ...rest] = path;
	return Object.fromEntries(
		Object.entries(content ?? {}).flatMap(([key, value]) => {
			if (key !== first) {
				return [[key, value]];
			}
			return rest.length === 0 ? [] : [[key, withoutKey(value, rest)]];
		}),
	);
}

/** Applies the reported edits by hand, from nothing but their numbers. */
export function replay(
	bytes: Uint8Array,
	edits: readonly { offset: number; length: number; text: string }[],
): Uint8Array {
	return edits.reduce<Uint8Array>(
		(current, { offset, length, text }) =>
			Buffer.concat([current.subarray(0, offset), Buffer.from(text), current.subarray(offset + length)]),
		bytes,
	);
}

type Tree =
	| { readonly kind: 'raw'; readonly text: string }
	| { readonly kind: 'array'; readonly items: readonly Tree[] }
	| { readonly kind: 'object'; readonly members: readonly (readonly [string, Tree])[] };

interface Layout {
	readonly indent: string | null;
	readonly eol: string;
	readonly colon: string;
	readonly blanks: readonly string[] | null;
}

function render(tree: Tree, layout: Layout): string {
	let drawn = 0;
	const gap = (pretty: string): string =>
		layout.blanks === null ? pretty : (layout.blanks[drawn++ % layout.blanks.length] ?? '');
	const write = (node: Tree, depth: number): string => {
		const line = (level: number): string => gap(layout.indent === null ? '' : layout.eol + layout.indent.repeat(level));
		switch (node.kind) {
			case 'raw':
				return node.text;
			case 'array':
			case 'object': {
				const [open, close] = node.kind === 'array' ? '[]' : '{}';
				const parts =
					node.kind === 'array'
						? node.items.map(item => line(depth + 1) + write(item, depth + 1))
						: node.members.map(
								([key, value]) =>
									`${line(depth + 1)}${key}${gap('')}${layout.colon}${gap('')}${write(value, depth + 1)}`,
							);
				return `${open}${parts.map(part => part + gap('')).join(',')}${parts.length === 0 ? gap('') : line(depth)}${close}`;
			}
		}
	};
	return write(tree, 0);
}

const anyString = fc.oneof(
	fc.string({ unit: 'grapheme', maxLength: 8 }),
	fc.constantFrom(
		'',
		'__proto__',
		'constructor',
		'172.20.0.1/16',
		'{"a": 1, // no comment',
		'ü\u2028\ufeff',
		'/*',
		'a,]}',
	),
);

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A JSON string as written in a file: sometimes with needless \u escapes. */
const spelledString = (value: string): fc.Arbitrary<string> =>
	fc.boolean().map(escaped => (escaped ? `"${value.split('').map(escapeUnit).join('')}"` : JSON.stringify(value)));

const number = fc.oneof(
	fc.integer().map(String),
	fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
	fc.constantFrom('0', '-0', '1.10', '1e400', '2.5E-7', '12345678901234567890', '0.1000000000000000055511151231257827'),
);

const raw = fc
	.oneof(anyString.chain(spelledString), number, fc.constantFrom('true', 'false', 'null'))
	.map((text): Tree => ({ kind: 'raw', text }));

const { tree } = fc.letrec<{ tree: Tree }>(tie => ({
	tree: fc.oneof(
		{ depthSize: 'small', withCrossShrink: true },
		raw,
		fc.array(tie('tree'), { maxLength: 3 }).map((items): Tree => ({ kind: 'array', items })),
		members(anyString, tie('tree'), 3),
	),
}));

function members(keys: fc.Arbitrary<string>, values: fc.Arbitrary<Tree>, maxLength: number): fc.Arbitrary<Tree> {
	return fc
		.uniqueArray(fc.tuple(keys, values), { maxLength, selector: ([key]) => key })
		.chain(entries =>
			fc
				.tuple(...entries.map(([key]) => spelledString(key)))
				.map(
					(spelled): Tree => ({ kind: 'object', members: entries.map(([, value], index) => [spelled[index]!, value]) }),
				),
		);
}

const string = (value: string): fc.Arbitrary<Tree> => spelledString(value).map(text => ({ kind: 'raw', text }));

const runtimeEntry = fc
	.record({
		path: fc.constantFrom('/usr/bin/sysbox-runc', '/usr/local/sbin/sysbox-runc', '/opt/nvidia').chain(string),
		extra: fc.option(members(fc.constantFrom('runtimeArgs'), fc.constant<Tree>({ kind: 'array', items: [] }), 1)),
	})
	.map(
		({ path, extra }): Tree => ({
			kind: 'object',
			members: [['"path"', path], ...(extra?.kind === 'object' ? extra.members : [])],
		}),
	);

/** Known keys with values of the right type, as dockerd would accept them. */
const knownMembers: fc.Arbitrary<readonly (readonly [string, Tree])[]> = fc
	.record(
		{
			runtimes: members(fc.constantFrom('sysbox-runc', 'nvidia', 'kata'), runtimeEntry, 3),
			bip: fc.constantFrom('172.20.0.1/16', '10.0.0.1/24').chain(string),
			'default-address-pools': fc
				.array(
					fc.constant<Tree>({
						kind: 'object',
						members: [
							['"base"', { kind: 'raw', text: '"172.25.0.0/16"' }],
							['"size"', { kind: 'raw', text: '24' }],
						],
					}),
					{ maxLength: 2 },
				)
				.map((items): Tree => ({ kind: 'array', items })),
			'live-restore': fc.constantFrom('true', 'false').map((text): Tree => ({ kind: 'raw', text })),
			'log-opts': members(fc.constantFrom('max-size', 'max-file'), raw, 2),
		},
		{ requiredKeys: [] },
	)
	.map(record => Object.entries(record).map(([key, value]) => [JSON.stringify(key), value] as const));

const layout: fc.Arbitrary<Layout> = fc.record({
	indent: fc.constantFrom('\t', '  ', '    ', ' ', '', null),
	eol: fc.constantFrom('\n', '\r\n'),
	colon: fc.constantFrom(':', ': ', ' : '),
	blanks: fc.oneof(
		{ weight: 3, arbitrary: fc.constant(null) },
		{ weight: 1, arbitrary: fc.array(fc.constantFrom('', ' ', '\t', '\n', '\r\n', '\r', '  \n\t'), { minLength: 1 }) },
	),
});

/** Text of a daemon.json as people write it: any order, any style, keys nobody knows. */
export const daemonJsonText: fc.Arbitrary<string> = fc
	.record({
		known: knownMembers,
		unknown: members(
			anyString.map(key => `x-${key}`),
			tree,
			4,
		),
		reversed: fc.boolean(),
		layout,
		bom: fc.boolean(),
		head: fc.constantFrom('', '\n', '  '),
		tail: fc.constantFrom('', '\n', '\r\n', '\n\n', ' '),
	})
	.map(({ known, unknown, reversed, layout: style, bom, head, tail }) => {
		const all = [...known, ...(unknown.kind === 'object' ? unknown.members : [])];
		const body = render({ kind: 'object', members: reversed ? all.reverse() : all }, style);
		return `${bom ? '\ufeff' : ''}${head}${body}${tail}`;
	});
