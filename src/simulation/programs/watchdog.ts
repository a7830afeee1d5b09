import { digestOf } from '../file-tree.ts';
import { runProgram } from '../run-program.ts';
import { createNode, removeNode, writeText } from '../scope.ts';
import { fileOf, passTime, restartUnit, stopUnit } from '../services.ts';
import {
	type Captured,
	capture,
	journal,
	noInput,
	type Program,
	type Scope,
	spend,
	touch,
	UnsimulatedCommand,
} from '../world.ts';

/**
 * The script that is armed before Docker restarts, as a transition of the host: no shell runs it here. What it is to do
 * stands in its text, and is read from there. test/watchdog/script.test.ts asks of this what test/watchdog/script-decisions.test.ts
 * asks of the script in a real sh.
 */
export const watchdog: Program = (scope, call) => {
	const [, path = '', by = ''] = call.argv;
	const script = fileOf(scope.world, path);
	const orders = script === undefined ? undefined : ordersIn(script);
	if (orders === undefined || call.argv.length !== 3)
		throw new UnsimulatedCommand(
			call.argv,
			'there is no shell: only the watchdog is played, and this is none, or its script (src/watchdog/script.ts) has changed; see src/simulation/programs/watchdog.ts',
		);
	if (by === 'give-back') {
		removeNode(scope, path);
		giveBack(scope, orders.afterwards);
	} else if (by === 'watch') watch(scope, orders, path);
	else fire(scope, orders, by === 'boot' ? 'boot' : 'deadline', path);
	return 0;
};

type Step = {
	readonly argv: readonly string[];
	readonly where?: readonly string[] | undefined;
	readonly says?: string | undefined;
};

interface Orders {
	readonly file: string;
	readonly written: string;
	readonly earlier: string;
	readonly running: string;
	readonly deadlineUnit: string;
	readonly watchUnit: string;
	readonly looks: number;
	readonly copy: string;
	readonly marker: string;
	/** Removed at the end; folders only when they are empty. */
	readonly files: readonly string[];
	readonly folders: readonly string[];
	readonly afterwards: readonly Step[];
	readonly giveBackPath: string | undefined;
	readonly handOver: readonly string[] | undefined;
}

const words = (command: string): string[] =>
	[...command.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(m => m[1]?.replaceAll(`'\\''`, "'") ?? m[2] ?? '');

/** What the script says about itself, or undefined when it is not that script. */
function ordersIn(script: string): Orders | undefined {
	const value = (name: string): string | undefined =>
		words(new RegExp(`^${name}=(.*)$`, 'm').exec(script)?.[1] ?? '')[0];
	const [file, written, earlier, running] = ['file', 'written', 'earlier', 'running'].map(value);
	const watchUnit = /systemctl stop (\S+)\.timer$/m.exec(script)?.[1];
	const deadlineUnit = /-e \/run\/systemd\/transient\/(\S+)\.timer \]/.exec(script)?.[1];
	const looks = /"\$looks" -ge (\d+)/.exec(script)?.[1];
	const copy = /if \[ -e (\S+) \]; then copy=/.exec(script)?.[1];
	const marker = /"\$file" >(\S+)$/m.exec(script)?.[1];
	const [units, own] = [...script.matchAll(/^rm -f (\S+ \S+)\nrmdir (\S+)/gm)];
	const handOver = /^if ! (systemd-run .*); then$/m.exec(script)?.[1];
	const steps = /= give-back \]; then\n\trm -f \S+\n(.*?)\texit 0\nfi/s.exec(script)?.[1] ?? '';
	if (file === undefined || written === undefined || earlier === undefined || running === undefined) return undefined;
	if (watchUnit === undefined || deadlineUnit === undefined) return undefined;
	if (looks === undefined || copy === undefined || marker === undefined || units === undefined || own === undefined)
		return undefined;
	return {
		file,
		written,
		earlier,
		running,
		deadlineUnit,
		watchUnit,
		looks: Number(looks),
		copy,
		marker,
		files: [...words(units[1] ?? ''), ...words(own[1] ?? '')],
		folders: [units[2] ?? '', own[2] ?? ''],
		afterwards: steps.split('\n').filter(Boolean).map(stepIn),
		giveBackPath: /^cp \S+ (\S+)$/m.exec(script)?.[1],
		handOver: handOver === undefined ? undefined : words(handOver),
	};
}

const limit = String.raw`timeout -k \d+ \d+ `;

function stepIn(line: string): Step {
	const asks = new RegExp(`^\\tif ${limit}(.*) 2>/dev/null \\| grep -qF (.*); then ${limit}(.*); fi$`).exec(line);
	if (asks === null) return { argv: words(line.replace(new RegExp(`^\\t${limit}`), '')) };
	const [, where = '', says = '', argv = ''] = asks;
	return { argv: words(argv), where: words(where), says: words(says)[0] ?? '' };
}

/** A command under `timeout`. One that is not there ends with 127, as in a shell. */
function run(scope: Scope, argv: readonly string[], timeoutMs: number): Captured {
	const before = scope.world.state.now;
	const said = capture(io => runProgram(scope, { argv, stdin: noInput, io, timeoutMs }) ?? 127);
	if (said.exit === 'endless') spend(scope.world, timeoutMs - (scope.world.state.now - before));
	return said;
}

const stepMs = 60_000;

function giveBack(scope: Scope, steps: readonly Step[]): void {
	for (const { where, says = '', argv } of steps)
		if (where === undefined || run(scope, where, stepMs).stdout.includes(says)) run(scope, argv, stepMs);
}

/** The script is its own memory: without its x bits it is disarmed. */
const isArmed = ({ world }: Scope, path: string): boolean => {
	const node = world.state.files[path];
	return node?.kind === 'file' && (node.mode & 0o111) !== 0;
};

/** When Docker last became active, as `systemctl show` prints it. */
const startedOf = ({ world: { state } }: Scope): string => {
	const at = state.units['docker.service']?.startedAt;
	return at === undefined ? '0' : String(Math.max(1, at - state.machine.bootedAt) * 1000);
};

/** `docker version` without a format: whether it answers is all that counts. */
const answers = (scope: Scope): boolean =>
	run(scope, ['docker', 'version', '--format', '{{json .}}'], 10_000).exit === 0;

/** One look, from arming on: a Docker that has answered after its restart disarms the switch for good. */
function watch(scope: Scope, { running, deadlineUnit, watchUnit }: Orders, path: string): void {
	const { world } = scope;
	const { files, units } = world.state;
	const waits = ['timer', 'service'].some(kind => `/run/systemd/transient/${deadlineUnit}.${kind}` in files);
	const script = files[path];
	if (!waits) stopUnit(world, `${watchUnit}.timer`);
	else if (isArmed(scope, path) && units['docker.service']?.active === 'active' && startedOf(scope) !== running)
		if (answers(scope) && script?.kind === 'file') files[path] = { ...script, mode: 0o600 };
}

/** Every five seconds a look at Docker, until it is clear what to do. */
function decide(scope: Scope, { running, looks }: Orders, path: string): { decision: string; state: string } {
	const { state } = scope.world;
	let [silent, down] = [0, 0];
	for (let look = 1; ; look += 1) {
		const unit = state.units['docker.service'];
		const active = unit?.active ?? 'inactive';
		if (!isArmed(scope, path)) return { decision: 'stand-down', state: active };
		if (active === 'active') {
			const started = startedOf(scope);
			silent = answers(scope) ? 0 : silent + 1;
			// The same Docker as before: the restart has not come yet.
			if (silent === 0 && started !== running) return { decision: 'stand-down', state: active };
			if (silent >= 3) return { decision: 'put-back', state: active };
		} else if (active !== 'activating' || unit?.sub === 'auto-restart' || (unit?.restarts ?? 0) > 0) down += 1;
		if (down >= 2) return { decision: 'put-back', state: active };
		if (look >= looks) return { decision: 'give-up', state: active };
		spend(scope.world, 5000);
		passTime(scope.world);
	}
}

const hashAt = ({ view }: Scope, path: string): string => {
	const node = view.get(path);
	return node?.kind === 'file' ? digestOf(node) : node === undefined ? 'missing' : node.kind;
};

function putBack(scope: Scope, { file, written, earlier, copy }: Orders): string {
	const now = hashAt(scope, file);
	if (now === earlier) return 'was-back';
	// Somebody else's bytes are not for the script to replace.
	if (now !== written) return 'left-file';
	if (earlier === 'missing') return removeNode(scope, file) === undefined ? 'put-back' : 'failed';
	if (hashAt(scope, copy) !== earlier) return 'no-copy';
	return writeText(scope, file, fileOf(scope.world, copy) ?? '') === undefined ? 'put-back' : 'failed';
}

function fire(scope: Scope, orders: Orders, by: 'boot' | 'deadline', path: string): void {
	const { world } = scope;
	touch(world);
	const atBoot = by === 'boot' && isArmed(scope, path);
	const { decision, state } = atBoot ? { decision: 'put-back', state: '' } : decide(scope, orders, path);
	const at = new Date(world.state.now).toISOString().replace(/\.\d+Z/, 'Z');
	const did = decision === 'put-back' ? putBack(scope, orders) : decision;
	let docker = state;
	if (decision === 'put-back') {
		docker = 'starts-with-the-host';
		if (by === 'deadline') {
			const unit = world.state.units['docker.service'];
			if (unit !== undefined) unit.starts = [];
			docker = restartUnit(world, 'docker.service').kind === 'done' ? 'started' : 'does-not-start';
		}
	}
	const { file, written } = orders;
	if (decision !== 'stand-down' && docker !== 'active') {
		const note = Object.entries({ at, by, did, docker, written, file }).map(([key, value]) => `${key}=${value}\n`);
		writeText(scope, orders.marker, note.join(''));
	}
	const text = `dead man's switch (${by}): ${file}: ${did}; docker: ${docker}`;
	journal(world, '', 'sysbox-setup', scope.pid, text);
	if (by === 'deadline') stopUnit(world, `${orders.watchUnit}.timer`);
	const script = world.state.files[path];
	if (orders.giveBackPath !== undefined && script !== undefined) createNode(scope, orders.giveBackPath, script);
	for (const gone of orders.files) removeNode(scope, gone);
	for (const folder of orders.folders) if (scope.view.names(folder).length === 0) removeNode(scope, folder);
	if (orders.handOver !== undefined) run(scope, orders.handOver, stepMs);
}
