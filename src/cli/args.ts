import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCode } from '../model/exit.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { oneLine } from '../text/safe.ts';
import { readDuration, readUntil } from './window-options.ts';

/** How a run is told. */
const formats = ['text', 'json', 'junit', 'summary'] as const;

/** The only reader of argv and of the SBXSETUP_ environment. */
export interface CommonOptions {
	readonly demo?: string | undefined;
	readonly answers?: string | undefined;
	readonly yes: boolean;
	/** Plain questions in reading order instead of the wizard. */
	readonly plain: boolean;
	/** No colour; words and marks tell all the same. */
	readonly noColor: boolean;
	readonly only?: readonly string[] | undefined;
	readonly skip?: readonly string[] | undefined;
	readonly from?: string | undefined;
	readonly acceptRisk: readonly string[];
	readonly record?: string | undefined;
	readonly deb?: string | undefined;
	readonly imageArchive: readonly string[];
	readonly format: (typeof formats)[number];
	readonly sessionDir?: string | undefined;
	readonly fresh: boolean;
	readonly changeId?: string | undefined;
	/** How long running jobs are waited for. */
	readonly drainTimeoutMs?: number | undefined;
	/** When the window for disruptions ends, as it was typed. */
	readonly until?: string | undefined;
	/** Files that others write. */
	readonly managed?: readonly string[] | undefined;
}

export type Invocation =
	| { readonly command: 'run'; readonly options: CommonOptions; readonly plan?: string | undefined }
	| {
			readonly command: 'check';
			readonly options: CommonOptions;
			readonly list: boolean;
			readonly ignore: readonly string[];
			readonly strict: boolean;
			/** The verdicts that it ends 0 for. */
			readonly want: 'compatible' | 'set-up';
	  }
	| { readonly command: 'plan'; readonly options: CommonOptions; readonly out?: string | undefined }
	| {
			readonly command: 'test';
			readonly options: CommonOptions;
			readonly proofs: readonly string[];
			readonly clean: boolean;
	  }
	| { readonly command: 'revert'; readonly options: CommonOptions; readonly named?: string | undefined }
	| { readonly command: 'status'; readonly options: CommonOptions; readonly run?: string | undefined };

export type Parsed =
	| { readonly kind: 'invocation'; readonly invocation: Invocation }
	/** Help or version was printed, or the usage is wrong and was explained. */
	| { readonly kind: 'answered'; readonly exit: number };

const words = (value: string, before: readonly string[] | undefined): readonly string[] => [
	...(before ?? []),
	...value
		.split(',')
		.map(word => word.trim())
		.filter(word => word !== ''),
];

const files = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

function drainTimeout(value: string): number {
	const ms = readDuration(value);
	if (ms === undefined) throw new InvalidArgumentError('It is a number with its unit: 45s, 30m, 2h.');
	return ms;
}

function untilWords(value: string): string {
	if (readUntil(value, new Date(0)) === undefined)
		throw new InvalidArgumentError('It is a time of day (06:00) or a date with its time (2026-11-24T06:00).');
	return value;
}

/** Of `--demo` alone. */
export const usualScenario = 'fresh-ubuntu';

/** How an environment says no; commander takes a switch's variable for yes whatever it holds. */
const switchedOff: ReadonlySet<string> = new Set(['0', 'no', 'false', 'off']);

function commonOptions(): readonly Option[] {
	return [
		new Option('--demo [scenario]', 'a simulated host instead of this one; nothing here is changed').env(
			'SBXSETUP_DEMO',
		),
		new Option('--yes', 'unattended: approve plans without a named risk, take defaults').env('SBXSETUP_YES'),
		new Option('--plain', 'plain questions instead of the wizard, in reading order').env('SBXSETUP_PLAIN'),
		new Option('--no-color', 'no colour; words and marks tell the same').env('SBXSETUP_NO_COLOR'),
		new Option('--answers <file>', 'answers to the questions (YAML)').env('SBXSETUP_ANSWERS'),
		new Option('--accept-risk <name>', 'accept one named risk (repeatable)')
			.argParser(words)
			.env('SBXSETUP_ACCEPT_RISK'),
		new Option('--only <step>', 'only these steps').argParser(words).env('SBXSETUP_ONLY'),
		new Option('--skip <step>', 'not these steps').argParser(words).env('SBXSETUP_SKIP'),
		new Option('--from <step>', 'begin at this step').env('SBXSETUP_FROM'),
		new Option('--deb <file>', 'install Sysbox from this package file').env('SBXSETUP_DEB'),
		new Option('--image-archive <file>', 'load images for the proofs from this archive (repeatable)')
			.argParser(files)
			.env('SBXSETUP_IMAGE_ARCHIVE'),
		new Option('--managed <file>', 'others write this file or folder: print what it has to hold instead (repeatable)')
			.argParser(words)
			.env('SBXSETUP_MANAGED'),
		new Option('--record <file>', 'write the record there, also when nothing was changed').env('SBXSETUP_RECORD'),
		new Option('--change-id <text>', 'your change number, for log and record').env('SBXSETUP_CHANGE_ID'),
		new Option('--drain-timeout <time>', 'how long running jobs are waited for before Docker restarts: 45s, 30m, 2h')
			.argParser(drainTimeout)
			.env('SBXSETUP_DRAIN_TIMEOUT'),
		new Option('--until <time>', 'begin no disruption that could last longer than this: 06:00, 2026-11-24T06:00')
			.argParser(untilWords)
			.env('SBXSETUP_UNTIL'),
		new Option('--format <format>', 'text; json: one event a line; of check and test also junit, and summary: one line')
			.choices(formats)
			.default('text')
			.env('SBXSETUP_FORMAT'),
		new Option('--session-dir <dir>', 'where runs, logs and backups are kept').env('SBXSETUP_SESSION_DIR'),
		new Option('--fresh', 'do not go on with an interrupted run').env('SBXSETUP_FRESH'),
	];
}

/** What the usage names, and where it is printed. */
interface Texts {
	readonly version: string;
	readonly steps: readonly string[];
	readonly proofs: readonly string[];
	readonly out: (text: string) => void;
	readonly err: (text: string) => void;
}

/** Reads the command line. Whatever is wrong with it is said on `err`, with the near word where there is one. */
export function parseArgs(argv: readonly string[], texts: Texts): Parsed {
	let invocation: Invocation | undefined;
	const program = createProgram(texts, argv);
	addCommands(program, texts.proofs, read => {
		invocation = read;
	});
	// `--demo plan` is the plan of the usual scenario: a command's name is never one of a scenario.
	const commandNames = program.commands.map(command => command.name());
	const typed = argv.map((word, index) =>
		word === '--demo' && commandNames.includes(argv[index + 1] ?? '') ? `--demo=${usualScenario}` : word,
	);
	hideEmptyVariables(program);
	try {
		program.parse(typed, { from: 'user' });
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		const informed = ['commander.version', 'commander.helpDisplayed', 'commander.help'].includes(error.code);
		return { kind: 'answered', exit: informed && error.exitCode === 0 ? exitCode.done : exitCode.wrongInput };
	}
	if (invocation === undefined) return { kind: 'answered', exit: exitCode.wrongInput };
	const wrong = wrongSteps(invocation.options, texts.steps) ?? wrongFormat(invocation);
	if (wrong !== undefined) {
		texts.err(`sysbox-setup: ${wrong}\n`);
		return { kind: 'answered', exit: exitCode.wrongInput };
	}
	return { kind: 'invocation', invocation };
}

/** The program with the options of all commands, which are read before and after a command's name. */
function createProgram(texts: Texts, argv: readonly string[]): Command {
	const program = new Command('sysbox-setup')
		.description('Moves a Docker CI host to the Sysbox runtime, step by step, with proofs and a way back.')
		.version(texts.version, '-V, --version', 'print the version')
		.helpOption('-h, --help', 'print this')
		.configureHelp({ showGlobalOptions: true })
		.showHelpAfterError('(sysbox-setup --help lists commands and options)')
		.configureOutput({ writeOut: texts.out, writeErr: text => texts.err(withoutForgedLines(text, argv)) })
		.exitOverride()
		.addHelpText(
			'after',
			`
Steps: ${texts.steps.join(', ')}

Exit codes: 0 done, nothing to do, or set up · 1 a step, an action or a proof failed · 2 what was passed is wrong
  3 incompatible, broken, or a finding blocks · 4 changes to make, or actions left for you · 5 unknown
  75 another run is at work · 129, 130, 143 terminal gone, Ctrl+C, SIGTERM

  sysbox-setup check                      look only, no root needed
  sysbox-setup plan                       what a run would change
  sysbox-setup --yes --answers FILE       run unattended
  sysbox-setup --demo --yes               the same on a simulated host`,
		)
		.hook('preAction', (_, command) => {
			if (command !== program && program.getOptionValueSource('plan') === 'cli')
				command.error(`error: --plan belongs to a run, not to ${command.name()}`);
			readEnvironment(program);
		});
	for (const option of commonOptions()) program.addOption(option);
	return program.addOption(
		new Option('--plan <file>', 'run exactly this saved plan (of plan --out); a run that would differ is refused').env(
			'SBXSETUP_PLAN',
		),
	);
}

/** A variable that is set to nothing is not set: Commander would hold the nothing to what the option may be. */
function hideEmptyVariables(program: Command): void {
	for (const option of program.options)
		if (option.envVar !== undefined && process.env[option.envVar]?.trim() === '') delete option.envVar;
}

/** Of what Commander took from the environment, what it means here. */
function readEnvironment(program: Command): void {
	for (const option of program.options) {
		const key = option.attributeName();
		if (program.getOptionValueSource(key) !== 'env') continue;
		const text = process.env[option.envVar ?? '']?.trim() ?? '';
		const isSwitch = option.isBoolean() || option.negate;
		// A switch that is set to no is not set.
		if (isSwitch && switchedOff.has(text.toLowerCase())) program.setOptionValue(key, undefined);
		// On the command line each archive has an option of its own; a variable is a list, as for every other option.
		else if (key === 'imageArchive') program.setOptionValue(key, words(text, undefined));
	}
}

/** Options as Commander names them; what was not given is not there. */
interface Given extends Partial<Omit<CommonOptions, 'demo'>> {
	readonly demo?: string | true;
	readonly color?: boolean;
	readonly drainTimeout?: number;
}

function optionsOf(command: Command): CommonOptions {
	const given = command.optsWithGlobals<Given>();
	return {
		demo: given.demo === true ? usualScenario : given.demo,
		answers: given.answers,
		yes: given.yes ?? false,
		plain: given.plain ?? false,
		noColor: given.color === false,
		only: given.only,
		skip: given.skip,
		from: given.from,
		acceptRisk: given.acceptRisk ?? [],
		record: given.record,
		deb: given.deb,
		imageArchive: given.imageArchive ?? [],
		format: given.format ?? 'text',
		sessionDir: given.sessionDir,
		fresh: given.fresh ?? false,
		changeId: given.changeId,
		drainTimeoutMs: given.drainTimeout,
		until: given.until,
		managed: given.managed,
	};
}

function addCommands(program: Command, proofs: readonly string[], take: (invocation: Invocation) => void): void {
	program.action(({ plan }: { plan?: string }, command: Command) => {
		refuseStranger(
			'command',
			command.args,
			program.commands.map(c => c.name()),
			command,
		);
		take({ command: 'run', options: optionsOf(command), plan });
	});
	program
		.command('check')
		.description('look at the host and judge it; changes nothing, needs no root')
		.option('--list', 'list the checks by id')
		.addOption(
			new Option('--ignore <id>', 'count this finding as accepted (repeatable); it is still shown').argParser(words),
		)
		.option('--strict', 'what only root can tell counts as unknown too')
		.addOption(
			new Option('--want <verdict>', 'what ends 0: set-up, or compatible for every host that is or can be set up')
				.choices(['compatible', 'set-up'])
				.default('set-up'),
		)
		.action(({ list = false, ignore = [], strict = false, want }, command: Command) =>
			take({ command: 'check', options: optionsOf(command), list, ignore, strict, want }),
		);
	program
		.command('plan')
		.description('show what a run would change: diffs, commands, what would stop')
		.option('--out <file>', 'save it too, for a run that does exactly that: --plan FILE')
		.action(({ out }, command: Command) => take({ command: 'plan', options: optionsOf(command), out }));
	program
		.command('test')
		.description('only the proofs, on a host that is set up')
		.argument('[proof...]', `${proofs.join(' or ')}; all without one`)
		.option('--clean', 'only remove what an interrupted proof left behind')
		.action((named: string[], { clean = false }, command: Command) => {
			refuseStranger('proof', named, proofs, command);
			take({ command: 'test', options: optionsOf(command), proofs: named, clean });
		});
	program
		.command('revert')
		.description('undo the last run that changed the host, or the run that is named')
		.argument('[run]', 'a run of `status`, the beginning of its name, or its record')
		.action((named: string | undefined, _, command: Command) =>
			take({ command: 'revert', options: optionsOf(command), named }),
		);
	program
		.command('status')
		.description('the runs on this host, and what the last one (or the named one) did and left')
		.argument('[run]', 'a run, or the beginning of its name')
		.action((run: string | undefined, _, command: Command) =>
			take({ command: 'status', options: optionsOf(command), run }),
		);
	// Behind the commands, as they inherit it: only the program itself looks at stray words, to name the near command.
	program.allowExcessArguments(true);
	program.helpCommand('help [command]', 'print this, or what a command takes');
}

function refuseStranger(what: string, typed: readonly string[], known: readonly string[], command: Command): void {
	const stranger = typed.find(word => !known.includes(word));
	if (stranger === undefined) return;
	const all = what === 'proof' ? ` There are: ${known.join(', ')}` : '';
	command.error(`error: there is no ${what} called ${stranger}.${didYouMean(stranger, known)}${all}`);
}

/** What Commander echoes of a word, on one line: a line break in it would begin a line as if it were ours. */
function withoutForgedLines(text: string, argv: readonly string[]): string {
	const own = Object.entries(process.env).filter(([name]) => name.startsWith('SBXSETUP_'));
	const words = [...argv, ...own.map(([, value]) => value ?? '')]
		.flatMap(word => [word, word.slice(word.indexOf('=') + 1)])
		.filter(word => /[\n\r]/.test(word));
	return words.reduce((told, word) => told.replaceAll(word, oneLine(word)), text);
}

/** Commands without a run have no events, and only a look and a proof have test cases. Text would be no data on stdout. */
function wrongFormat(invocation: Invocation): string | undefined {
	const { command, options } = invocation;
	const { format } = options;
	if (format === 'text') return undefined;
	if (format !== 'json' && command !== 'check' && command !== 'test')
		return `--format ${format} belongs to check and test. Use --format text or json.`;
	const words =
		command === 'status'
			? command
			: command === 'test' && invocation.clean
				? 'test --clean'
				: command === 'check' && invocation.list
					? 'check --list'
					: undefined;
	return words === undefined
		? undefined
		: `${words} has no ${format === 'json' ? 'JSON' : format} output. Use --format text.`;
}

function wrongSteps(options: CommonOptions, steps: readonly string[]): string | undefined {
	if (options.only?.length === 0) return `--only names no step. The steps are: ${steps.join(', ')}`;
	const named = [
		...(options.only ?? []),
		...(options.skip ?? []),
		...(options.from === undefined ? [] : [options.from]),
	];
	const stranger = named.find(name => !steps.includes(name));
	return stranger === undefined
		? undefined
		: `there is no step called ${oneLine(stranger)}.${didYouMean(stranger, steps)} The steps are: ${steps.join(', ')}`;
}
