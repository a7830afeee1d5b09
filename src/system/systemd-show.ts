import { excerpt, type Reading, read, unreadable } from './reading.ts';
import { systemdWords } from './systemd-words.ts';

export interface UnitState {
	/** `docker.service`. */
	readonly id: string;
	/** `loaded`, `not-found`, `masked`. */
	readonly loadState: string;
	readonly activeState: string;
	readonly subState: string;
	/** `enabled`, `disabled`, `static`; empty for a unit that is not there. */
	readonly unitFileState: string;
	/** `success`, `timeout`, `signal`, `exit-code`. */
	readonly result: string;
	readonly mainPid: number;
	/** Words of the command line, as systemd prints them; `$VARIABLES` are not resolved. */
	readonly execStart: readonly string[];
	readonly fragmentPath?: string | undefined;
	readonly dropInPaths: readonly string[];
	/** Everything that was shown, by name. */
	readonly properties: Readonly<Record<string, string>>;
}

/** `systemctl show UNIT… -p …`: one block of `Name=value` lines for each unit, with an empty line between them. */
export function parseUnits(text: unknown): Reading<readonly UnitState[]> {
	if (typeof text !== 'string') return unreadable('systemctl show gave no text');
	const blocks = text
		.split(/\n[ \t]*\n/)
		.map(parseProperties)
		.filter(properties => Object.keys(properties).length > 0);
	if (blocks.length === 0)
		return unreadable(
			text.trim() === ''
				? 'systemctl show printed nothing'
				: `systemctl show printed no properties, but: ${excerpt(text)}`,
		);
	return read(blocks.map(toUnit));
}

/** `Name=value` lines, as the manager's own properties (`systemctl show`) and each unit's are printed. */
export function parseProperties(text: string): Readonly<Record<string, string>> {
	const properties: Record<string, string> = {};
	for (const line of text.split('\n')) {
		const at = line.indexOf('=');
		if (at > 0 && /^[A-Za-z0-9]+$/.test(line.slice(0, at))) properties[line.slice(0, at)] = line.slice(at + 1);
	}
	return properties;
}

function toUnit(properties: Readonly<Record<string, string>>): UnitState {
	const text = (name: string) => properties[name] ?? '';
	const fragmentPath = text('FragmentPath');
	return {
		id: text('Id'),
		loadState: text('LoadState'),
		activeState: text('ActiveState'),
		subState: text('SubState'),
		unitFileState: text('UnitFileState'),
		result: text('Result'),
		mainPid: Number.parseInt(text('MainPID'), 10) || 0,
		execStart: execStartArgv(text('ExecStart')),
		fragmentPath: fragmentPath !== '' ? fragmentPath : undefined,
		dropInPaths: text('DropInPaths').split(' ').filter(Boolean),
		properties,
	};
}

/** `{ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// ; ignore_errors=no ; … }` → its words. */
export function execStartArgv(value: string): readonly string[] {
	const argv = /argv\[\]=(.*?) ; ignore_errors=/.exec(value)?.[1];
	// systemd quotes and escapes a word with a blank here (v246); one that is older prints it bare.
	return argv === undefined ? [] : systemdWords(argv);
}

/** A process' own command line, /proc/PID/cmdline: words, each ended by a NUL. What really runs, variables resolved. */
export function parseCmdline(text: unknown): Reading<readonly string[]> {
	if (typeof text !== 'string' || text === '') return unreadable('the process has no command line');
	return read(text.replace(/\0$/, '').split('\0'));
}
