import type { Container } from '../../src/docker/container.ts';
import type { DockerFacts } from '../../src/docker/daemon.ts';
import type { Action, Guarded, ReadinessState } from '../../src/model/action.ts';
import { type Answers, type Question, textAnswer } from '../../src/model/question.ts';
import type { RunState } from '../../src/model/state.ts';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import type { Afterwards } from '../../src/watchdog/script.ts';

/**
 * A Jenkins agent of this host, as its controller sees it. The controller is elsewhere: it is asked through curl, with
 * an API token in a netrc file, so that no secret stands in a command line or in the log. Requests with a token need no
 * crumb (Jenkins handbook, "CSRF protection").
 */
export type JenkinsNode =
	| { readonly kind: 'node'; readonly access: JenkinsAccess; readonly idle: boolean; readonly paused: boolean }
	| { readonly kind: 'unreachable'; readonly access: JenkinsAccess; readonly said: string };

export interface JenkinsAccess {
	/** Without a slash at its end. */
	readonly url: string;
	readonly node: string;
	/** curl's --netrc-file. */
	readonly netrc: string;
}

export const jenkinsIds = {
	url: 'docker.jenkins-url',
	node: 'docker.jenkins-node',
	netrc: 'docker.jenkins-netrc',
} as const;

/** Containers in which Jenkins builds, or its docker plugin has made for a build. */
export const jenkinsAgents = (docker: DockerFacts): readonly Container[] =>
	docker.containers.kind === 'ok'
		? docker.containers.value.filter(
				c => c.running && (c.owner?.kind === 'jenkins' || /(^|\/)jenkins\/(inbound-|ssh-)?agent(:|@|$)/.test(c.image)),
			)
		: [];

export function askJenkins(agents: readonly Container[], answers: Answers): readonly Question[] {
	if (agents.length === 0) return [];
	const url: Question = {
		id: jenkinsIds.url,
		label: 'Jenkins URL',
		alone: true,
		kind: 'text',
		title: 'Where is the Jenkins of this agent?',
		help: `${agents[0]?.name} is an agent of a Jenkins. With its address its node is set offline, its builds are waited for, and it is set online again. Empty: that is left to you.`,
		initial: '',
		validate: text =>
			text === '' || /^https?:\/\/[^\s@/]+(\/\S*)?$/.test(text)
				? undefined
				: 'must be the address of the controller, without a name or a password in it: https://jenkins.example.com',
	};
	if ((textAnswer(answers, jenkinsIds.url) ?? '') === '') return [url];
	return [
		url,
		{
			id: jenkinsIds.node,
			label: 'Jenkins node',
			alone: true,
			kind: 'text',
			title: 'What is its node called there?',
			help: 'Its name in Manage Jenkins, Nodes.',
			validate: text => (/^[^\p{C}/\\]+$/u.test(text) ? undefined : 'must be the name of a node'),
		},
		{
			id: jenkinsIds.netrc,
			label: 'API token file',
			alone: true,
			kind: 'path',
			title: 'Which file holds the API token?',
			help: 'A netrc file for curl, readable by root only: machine HOST login USER password TOKEN. The user needs Agent/Disconnect and Agent/Connect. Its content is never shown or logged.',
			wants: 'file',
			validate: path => (path.startsWith('/') ? undefined : 'must be a path that begins with /'),
		},
	];
}

function accessIn(answers: Answers): JenkinsAccess | undefined {
	const [url, node, netrc] = [jenkinsIds.url, jenkinsIds.node, jenkinsIds.netrc].map(
		id => textAnswer(answers, id) ?? '',
	);
	if (url === undefined || node === undefined || netrc === undefined) return undefined;
	return url === '' || node === '' || netrc === '' ? undefined : { url: url.replace(/\/+$/, ''), node, netrc };
}

const curl = (access: JenkinsAccess, path: string, ...more: readonly string[]): Argv => [
	'curl',
	'--silent',
	'--show-error',
	'--fail',
	'--max-time',
	'20',
	'--netrc-file',
	access.netrc,
	...more,
	`${access.url}/computer/${encodeURIComponent(access.node)}/${path}`,
];

/** What the controller says of the node; undefined where nobody has said where it is. */
export async function inspectJenkins(
	host: ReadHost,
	answers: Answers,
	signal: AbortSignal,
): Promise<JenkinsNode | undefined> {
	const access = accessIn(answers);
	return access === undefined ? undefined : askNode(host, access, signal);
}

async function askNode(host: ReadHost, access: JenkinsAccess, signal: AbortSignal): Promise<JenkinsNode> {
	const argv = curl(access, 'api/json?tree=idle,temporarilyOffline');
	const answer = await host.exec(argv, { timeoutMs: 30_000, signal });
	const unreachable = (said: string): JenkinsNode => ({ kind: 'unreachable', access, said });
	if (answer.code !== 0)
		return unreachable(answer.stderr.trim() || `curl: ${answer.problem ?? `exit code ${answer.code}`}`);
	try {
		const { idle, temporarilyOffline } = JSON.parse(answer.stdout) as Record<string, unknown>;
		if (typeof idle === 'boolean' && typeof temporarilyOffline === 'boolean')
			return { kind: 'node', access, idle, paused: temporarilyOffline };
	} catch {
		// Told below: a login page, a proxy's words.
	}
	return unreachable('the answer is none of Jenkins');
}

const idOf = (verb: 'drain' | 'release', access: JenkinsAccess): string => `${verb}-jenkins-${access.node}`;

/** The one switch that Jenkins has turns over: each time it is looked at first. */
const turn = (
	access: JenkinsAccess,
	to: 'paused' | 'working',
): Pick<Extract<Action, { kind: 'exec' }>, 'argv' | 'guard'> => ({
	argv: curl(
		access,
		'toggleOffline',
		'--request',
		'POST',
		'--data-urlencode',
		`offlineMessage=${to === 'paused' ? 'sysbox-setup restarts Docker' : ''}`,
	),
	guard: async (host, signal): Promise<Guarded> => {
		const found = await askNode(host, access, signal);
		if (found.kind === 'unreachable') return { kind: 'stale', said: `${access.url}: ${found.said}` };
		return found.paused === (to === 'paused')
			? { kind: 'stale', said: `the node ${access.node} is ${found.paused ? 'offline' : 'online'} already` }
			: { kind: 'go' };
	},
});

const lookEveryMs = 10_000;

/** Takes the node offline, and waits until it builds nothing. One that somebody else has set offline is only waited for. */
export function drainJenkins(node: JenkinsNode | undefined, deadlineMs: number): readonly Action[] {
	if (node?.kind !== 'node' || (node.paused && node.idle)) return [];
	const { access } = node;
	const shared = {
		timeoutMs: 30_000,
		undo: { kind: 'none' as const, why: 'it is set online again at the end of this step, however that ends' },
		waitUntil: {
			what: `the node ${access.node} to end its builds`,
			deadlineMs,
			everyMs: lookEveryMs,
			check: async (host: ReadHost, signal: AbortSignal): Promise<ReadinessState> => {
				const found = await askNode(host, access, signal);
				if (found.kind === 'unreachable') return { kind: 'waiting', seen: found.said };
				return found.idle
					? { kind: 'settled', evidence: `${access.node} builds nothing` }
					: { kind: 'waiting', seen: `${access.node} still builds` };
			},
		},
		whenItFails: ['Docker was not restarted; no build was stopped', 'start again with a longer --drain-timeout'],
	};
	if (node.paused)
		return [
			{
				...shared,
				id: `wait-jenkins-${access.node}`,
				kind: 'exec',
				title: `Wait for the builds of Jenkins node ${access.node}`,
				why: 'somebody has set it offline; it stays so',
				argv: curl(access, 'api/json?tree=idle,temporarilyOffline'),
			},
		];
	return [
		{
			...shared,
			...turn(access, 'paused'),
			id: idOf('drain', access),
			kind: 'exec',
			title: `Let Jenkins node ${access.node} finish its builds`,
			why: 'it is set offline and takes no new build; none is stopped',
		},
	];
}

/** The same without this tool: looked at first, as the one switch that Jenkins has turns over. */
export const onlineAgain = (access: JenkinsAccess): Afterwards => ({
	where: curl(access, 'api/json?tree=temporarilyOffline'),
	says: '"temporarilyOffline":true',
	run: turn(access, 'working').argv,
});

/** Sets the node online again that this run has set offline. */
export const releaseJenkins = (access: JenkinsAccess): Action => ({
	...turn(access, 'working'),
	id: idOf('release', access),
	kind: 'exec',
	title: `Let Jenkins node ${access.node} take builds again`,
	why: 'this run has set it offline',
	timeoutMs: 30_000,
	undo: { kind: 'none', why: 'it was online before' },
});

/** The node that this run has set offline, and that still is. */
export function pausedByRun(node: JenkinsNode | undefined, state: RunState): JenkinsAccess | undefined {
	if (node === undefined || (node.kind === 'node' && !node.paused)) return undefined;
	const last = (id: string) =>
		state.actions.findLast(a => a.step === 'docker' && a.id === id && a.outcome !== 'refused');
	const told = last(idOf('drain', node.access));
	const released = last(idOf('release', node.access));
	const open = told !== undefined && !(released?.outcome === 'done' && released.seq > told.seq);
	return open ? node.access : undefined;
}
