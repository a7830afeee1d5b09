import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Invocation, parseArgs } from '../src/cli/args.ts';

const steps = ['host', 'sysbox', 'daemon', 'docker', 'ci', 'functional', 'security', 'record'];
const proofs = ['functional', 'security'];

function parse(...argv: readonly string[]) {
	const said = { out: '', err: '' };
	const parsed = parseArgs(argv, {
		version: '1.2.3',
		steps,
		proofs,
		out: text => {
			said.out += text;
		},
		err: text => {
			said.err += text;
		},
	});
	return { parsed, ...said };
}

function invocation(...argv: readonly string[]): Invocation {
	const { parsed, err } = parse(...argv);
	if (parsed.kind !== 'invocation') throw new Error(`refused: ${err}`);
	return parsed.invocation;
}
const options = (...argv: readonly string[]) => invocation(...argv).options;

afterEach(() => vi.unstubAllEnvs());

describe('without a word', () => {
	it('it is the run, with everything at its default', () => {
		expect(invocation()).toEqual({
			command: 'run',
			options: {
				yes: false,
				acceptRisk: [],
				imageArchive: [],
				format: 'text',
				plain: false,
				noColor: false,
				fresh: false,
			},
		});
	});
});

describe('options', () => {
	/** argv, what it gives, and its variable with the same meaning. */
	const forms: readonly (readonly [readonly string[], object, Readonly<Record<string, string>>])[] = [
		[['--demo'], { demo: 'fresh-ubuntu' }, { SBXSETUP_DEMO: 'fresh-ubuntu' }],
		[['--demo=old-kernel'], { demo: 'old-kernel' }, { SBXSETUP_DEMO: 'old-kernel' }],
		[['--demo', 'old-kernel'], { demo: 'old-kernel' }, { SBXSETUP_DEMO: 'old-kernel' }],
		[['--yes'], { yes: true }, { SBXSETUP_YES: '1' }],
		[['--plain'], { plain: true }, { SBXSETUP_PLAIN: 'yes' }],
		[['--no-color'], { noColor: true }, { SBXSETUP_NO_COLOR: '1' }],
		[['--answers', 'a.yml'], { answers: 'a.yml' }, { SBXSETUP_ANSWERS: 'a.yml' }],
		[
			['--accept-risk', 'restart-docker', '--accept-risk', 'stop-containers'],
			{ acceptRisk: ['restart-docker', 'stop-containers'] },
			{ SBXSETUP_ACCEPT_RISK: 'restart-docker,stop-containers' },
		],
		[['--only', 'host', '--only=ci'], { only: ['host', 'ci'] }, { SBXSETUP_ONLY: 'host,ci' }],
		[['--only', 'host, ci,'], { only: ['host', 'ci'] }, { SBXSETUP_ONLY: ' host , ci ,' }],
		[['--skip', 'ci'], { skip: ['ci'] }, { SBXSETUP_SKIP: 'ci' }],
		[['--from', 'daemon'], { from: 'daemon' }, { SBXSETUP_FROM: 'daemon' }],
		[['--drain-timeout', '30m'], { drainTimeoutMs: 1_800_000 }, { SBXSETUP_DRAIN_TIMEOUT: '30m' }],
		[['--until', '06:00'], { until: '06:00' }, { SBXSETUP_UNTIL: '06:00' }],
		[['--deb', '/tmp/x.deb'], { deb: '/tmp/x.deb' }, { SBXSETUP_DEB: '/tmp/x.deb' }],
		[
			['--image-archive', 'a.tar', '--image-archive', 'b.tar'],
			{ imageArchive: ['a.tar', 'b.tar'] },
			{ SBXSETUP_IMAGE_ARCHIVE: 'a.tar,b.tar' },
		],
		[['--record', 'r.md'], { record: 'r.md' }, { SBXSETUP_RECORD: 'r.md' }],
		[
			['--managed', '/etc/docker,/etc/x', '--managed', '/etc/y'],
			{ managed: ['/etc/docker', '/etc/x', '/etc/y'] },
			{ SBXSETUP_MANAGED: '/etc/docker, /etc/x,/etc/y' },
		],
		[['--change-id', 'CHG 1'], { changeId: 'CHG 1' }, { SBXSETUP_CHANGE_ID: 'CHG 1' }],
		[['--format', 'json'], { format: 'json' }, { SBXSETUP_FORMAT: 'json' }],
		[['--session-dir', '/s'], { sessionDir: '/s' }, { SBXSETUP_SESSION_DIR: '/s' }],
		[['--fresh'], { fresh: true }, { SBXSETUP_FRESH: 'true' }],
	];

	it.each(forms)('%j are read before and behind a command, and from the environment', (argv, meaning, environment) => {
		expect(options(...argv)).toMatchObject(meaning);
		expect(options('plan', ...argv)).toMatchObject(meaning);
		expect(options(...argv, 'plan')).toMatchObject(meaning);
		for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
		expect(options()).toMatchObject(meaning);
		expect(options('plan')).toMatchObject(meaning);
	});

	it('of the command line win over those of the environment, and lists are not mixed', () => {
		vi.stubEnv('SBXSETUP_ONLY', 'host');
		vi.stubEnv('SBXSETUP_RECORD', 'env.md');
		expect(options('--only', 'ci', '--record', 'cli.md')).toMatchObject({ only: ['ci'], record: 'cli.md' });
	});

	it.each(['', '0', 'no', 'No', 'false', 'off'])(
		'a switch whose variable is %j is off: nothing is approved by it',
		text => {
			vi.stubEnv('SBXSETUP_YES', text);
			vi.stubEnv('SBXSETUP_FRESH', text);
			vi.stubEnv('SBXSETUP_NO_COLOR', text);
			expect(options()).toMatchObject({ yes: false, fresh: false, noColor: false });
			expect(options('--yes')).toMatchObject({ yes: true });
		},
	);

	it('a variable that is set to nothing is not set', () => {
		const named = [...parse('--help').out.matchAll(/SBXSETUP_\w+/g)].map(([name]) => name);
		expect(named).toContain('SBXSETUP_FORMAT');
		for (const name of named) vi.stubEnv(name, ' ');
		expect(options()).toEqual({
			yes: false,
			acceptRisk: [],
			imageArchive: [],
			format: 'text',
			plain: false,
			noColor: false,
			fresh: false,
		});
	});

	it('a saved plan is one of the run, whose variable may be set to nothing; on the command line nothing is no plan', () => {
		vi.stubEnv('SBXSETUP_PLAN', '');
		expect(invocation()).toMatchObject({ command: 'run', plan: undefined });
		expect(invocation('--plan', '')).toMatchObject({ plan: '' });
		vi.stubEnv('SBXSETUP_PLAN', 'p.json');
		expect(invocation()).toMatchObject({ plan: 'p.json' });
		expect(invocation('check')).not.toHaveProperty('plan');
		expect(parse('check', '--plan', 'p.json').err).toContain('--plan belongs to a run, not to check');
	});

	it('an archive’s name may hold a comma on the command line', () => {
		expect(options('--image-archive', 'a,b.tar').imageArchive).toEqual(['a,b.tar']);
	});

	it('never come from variables that sysbox itself would read', () => {
		vi.stubEnv('SYSBOX_YES', '1');
		expect(options().yes).toBe(false);
	});
});

describe('commands', () => {
	it('check takes --want, and wants a host that is set up without it', () => {
		expect(invocation('check')).toMatchObject({ command: 'check', want: 'set-up' });
		expect(invocation('check', '--want', 'compatible')).toMatchObject({ command: 'check', want: 'compatible' });
	});

	it('check takes --list, --ignore and --strict', () => {
		expect(invocation('check')).toMatchObject({ command: 'check', list: false, ignore: [], strict: false });
		expect(invocation('check', '--list', '--ignore', 'a,b', '--ignore', 'c', '--strict')).toMatchObject({
			list: true,
			ignore: ['a', 'b', 'c'],
			strict: true,
		});
	});

	it('test takes proofs and --clean', () => {
		expect(invocation('test')).toMatchObject({ command: 'test', proofs: [], clean: false });
		expect(invocation('test', 'security', 'functional')).toMatchObject({ proofs: ['security', 'functional'] });
		expect(invocation('test', '--clean')).toMatchObject({ clean: true });
	});

	it.each(['junit', 'summary'])('--format %s belongs to check and test', format => {
		expect(parse('check', '--format', format).parsed).toMatchObject({ invocation: { options: { format } } });
		expect(parse('test', '--yes', '--format', format).parsed).toMatchObject({ invocation: { options: { format } } });
		expect(parse('plan', '--format', format).err).toBe(
			`sysbox-setup: --format ${format} belongs to check and test. Use --format text or json.\n`,
		);
	});

	it.each([['test', '--clean'], ['check', '--list'], ['status']])(
		'%s %s has no events: --format json is refused there, not answered with text',
		(...words) => {
			const { parsed, out, err } = parse(...words, '--format', 'json');
			expect(parsed).toEqual({ kind: 'answered', exit: 2 });
			expect(out).toBe('');
			expect(err).toBe(`sysbox-setup: ${words.join(' ')} has no JSON output. Use --format text.\n`);
			vi.stubEnv('SBXSETUP_FORMAT', 'json');
			expect(parse(...words).err).toBe(err);
			expect(parse(...words, '--format', 'text').parsed.kind).toBe('invocation');
		},
	);

	it('revert takes one run or record, status one run, plan nothing', () => {
		expect(invocation('revert')).toMatchObject({ named: undefined });
		expect(invocation('revert', 'r.md')).toMatchObject({ command: 'revert', named: 'r.md' });
		expect(invocation('status')).toMatchObject({ run: undefined });
		expect(invocation('status', 'r1')).toMatchObject({ command: 'status', run: 'r1' });
		expect(invocation('plan').command).toBe('plan');
		expect(parse('revert', 'a', 'b').parsed).toEqual({ kind: 'answered', exit: 2 });
		expect(parse('plan', 'x').parsed).toEqual({ kind: 'answered', exit: 2 });
	});

	it('the record of revert is not mixed up with --record', () => {
		expect(invocation('revert', 'old.md', '--record', 'new.md')).toMatchObject({
			named: 'old.md',
			options: { record: 'new.md' },
		});
	});
});

describe('help and version', () => {
	it.each([[['--version']], [['-V']]])('%j prints the version and ends 0', argv => {
		expect(parse(...argv)).toEqual({ parsed: { kind: 'answered', exit: 0 }, out: '1.2.3\n', err: '' });
	});

	it.each([[['--help']], [['-h']], [['help']]])(
		'%j prints commands, options, steps and exit codes, and ends 0',
		argv => {
			const { parsed, out, err } = parse(...argv);
			expect(parsed).toEqual({ kind: 'answered', exit: 0 });
			expect(err).toBe('');
			for (const word of [
				'check',
				'plan',
				'test',
				'revert',
				'status',
				'--accept-risk',
				'SBXSETUP_DEB',
				'Exit codes',
				...steps,
			])
				expect(out).toContain(word);
		},
	);

	it.each(['check', 'plan', 'test', 'revert', 'status'])('%s --help tells its own and the common options', command => {
		const { parsed, out } = parse(command, '--help');
		expect(parsed).toEqual({ kind: 'answered', exit: 0 });
		expect(out).toContain(`sysbox-setup ${command}`);
		expect(out).toContain('--session-dir');
	});
});

describe('wrong usage ends 2, says so on stderr, and names the near word', () => {
	it.each<[readonly string[], string]>([
		[['chek'], 'there is no command called chek. Did you mean check?'],
		[['kubernetes'], 'there is no command called kubernetes.'],
		[['--demoo'], '--demo'],
		[['--accept-risks', 'x'], '(Did you mean --accept-risk?)'],
		[['check', '--strictt'], '(Did you mean --strict?)'],
		[['plan', '--list'], "unknown option '--list'"],
		[['--only', 'daemn'], 'there is no step called daemn. Did you mean daemon? The steps are: host, sysbox'],
		[['--skip', 'host,securty'], 'Did you mean security?'],
		[['--from', 'recrd'], 'Did you mean record?'],
		[['plan', '--only', 'nothing'], 'there is no step called nothing. The steps are:'],
		[['--only', ''], '--only names no step'],
		[['--only', ','], '--only names no step'],
		[['test', 'secuirty'], 'there is no proof called secuirty. Did you mean security? There are: functional, security'],
		[['--format', 'xml'], 'Allowed choices are text, json'],
		[['--answers'], 'argument missing'],
		[['--from'], 'argument missing'],
	])('%j', (argv, words) => {
		const { parsed, out, err } = parse(...argv);
		expect(parsed).toEqual({ kind: 'answered', exit: 2 });
		expect(err).toContain(words);
		expect(out).toBe('');
	});

	it('in the environment too', () => {
		vi.stubEnv('SBXSETUP_SKIP', 'hst');
		expect(parse()).toMatchObject({ parsed: { exit: 2 }, err: expect.stringContaining('Did you mean host?') });
	});
});

it.each([
	['an unknown command', ['x\n✔ all fine']],
	['an unknown option', ['--x\n✔ all fine']],
	['a step', ['--only', 'x\n✔ all fine']],
	['a time', ['--until', 'x\n✔ all fine']],
	['a value behind its option', ['--drain-timeout=x\n✔ all fine']],
])('echoes %s with a line break in it on one line', (_, argv) => {
	const { err } = parse(...argv);
	expect(err).toContain('all fine');
	expect(err).not.toMatch(/^✔/m);
});
