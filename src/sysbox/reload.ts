import type { Reloaded } from '../docker/event.ts';
import type { DockerInfo } from '../docker/info.ts';
import { reloadRefusal, whyDockerFailed } from '../docker/journal.ts';
import { askInfo, describeInfo, hearReload } from '../docker/reload-answers.ts';
import type { Action, ReadinessState } from '../model/action.ts';
import { nameSome } from '../text/name-some.ts';
import { runtimeName } from './runtime.ts';

/** A setting that the file has and the daemon has not, or has otherwise. */
export interface Difference {
	readonly key: string;
	/** What the file says. */
	readonly said: string;
	/** What the daemon goes by. */
	readonly loaded: string;
	readonly needs: 'reload' | 'restart';
}

/** How long the daemon's word is waited for before it is asked, and the journal read for a refusal. */
const hearMs = 1000;

export function reloadDocker(differences: readonly Difference[]): Action {
	const said = (key: string) => differences.find(d => d.key === key)?.said;
	const wanted = { runtime: said('runtimes'), defaultRuntime: said('default-runtime') };
	const words = nameSome([
		...(wanted.runtime === undefined ? [] : [`docker lists ${runtimeName}`]),
		...(wanted.defaultRuntime === undefined ? [] : [`the default runtime is ${wanted.defaultRuntime}`]),
	]);
	return {
		id: 'reload',
		kind: 'exec',
		title: 'Reload Docker',
		why: 'it reads its file again; no container is touched',
		argv: ['systemctl', 'reload', 'docker'],
		timeoutMs: 60_000,
		explain: whyDockerFailed,
		whenItFails: ['see what dockerd says (journalctl -u docker -n 50), then start again'],
		waitUntil: {
			what: words,
			// systemctl is back before dockerd has done it (moby#47353); it takes dockerd milliseconds.
			deadlineMs: 15_000,
			check: async (host, signal, since): Promise<ReadinessState> => {
				const heard = await hearReload(host, since, hearMs, signal);
				if (heard !== undefined && saysLoaded(heard, wanted))
					return { kind: 'settled', evidence: `docker says that it has reloaded, and that ${words}` };
				const info = await askInfo(host, signal);
				if (typeof info === 'string') return { kind: 'waiting', seen: info };
				if (isLoaded(info, wanted)) return { kind: 'settled', evidence: describeInfo(info) };
				const refusal = await reloadRefusal(host, since, signal);
				return refusal === undefined
					? { kind: 'waiting', seen: describeInfo(info) }
					: { kind: 'refused', said: `dockerd kept its old configuration: ${refusal}` };
			},
		},
		undo: { kind: 'none', why: 'revert reloads Docker itself' },
	};
}

interface Wanted {
	readonly runtime: string | undefined;
	readonly defaultRuntime: string | undefined;
}

/** Whether its own words are what was asked for. In doubt they are not, and it is asked. */
const saysLoaded = ({ runtimes, defaultRuntime }: Reloaded, wanted: Wanted): boolean =>
	(wanted.runtime === undefined || (runtimes.includes(`${runtimeName}:`) && runtimes.includes(wanted.runtime))) &&
	(wanted.defaultRuntime === undefined || defaultRuntime === wanted.defaultRuntime);

function isLoaded(info: DockerInfo, wanted: Wanted): boolean {
	const found = info.runtimes[runtimeName];
	const path = found?.path ?? found?.runtimeType;
	const runtime =
		wanted.runtime === undefined || (found !== undefined && (path === undefined || path === wanted.runtime));
	return runtime && (wanted.defaultRuntime === undefined || info.defaultRuntime === wanted.defaultRuntime);
}
