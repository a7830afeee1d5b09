import * as z from 'zod';
import type { DockerInfo } from '../../src/docker/info.ts';
import { jenkinsAgentImage } from '../../src/knowledge/images.ts';
import { type Answers, listAnswer, numberAnswer, textAnswer } from '../../src/model/question.ts';
import { defaultImage } from '../../src/probe/workload.ts';
import { clientImageOf, imageNameProblem, isPinned, type LocalDigests, pinImage, startsAsDind } from './image-name.ts';
import { bytesOf, defaultMemory, jobsThatFit } from './memory-size.ts';
import { serverUrlProblem } from './server-url.ts';

export const systems = ['compose', 'gitlab', 'jenkins'] as const;
export type System = (typeof systems)[number];

export const defaultPids = 4096;

/** Half of the processors: a build that takes all it may leaves the host able to answer. */
export const defaultCpus = (hostCpus: number | undefined): number => Math.max(1, Math.floor((hostCpus ?? 2) / 2));

const image = z.string();
const engine = image.refine(name => imageNameProblem(name) === undefined);
const url = (https: boolean) => z.string().refine(text => serverUrlProblem(text, { https }) === undefined);

/** What the templates may name. Parsed before anything is rendered, so that a file never holds a half value. */
export const settingsSchema = z.object({
	engineImage: engine,
	clientImage: image,
	jenkinsAgentImage: image,
	pinned: z.boolean(),
	startsAsDind: z.boolean(),
	memory: z.string().refine(text => bytesOf(text) !== undefined),
	cpus: z.number().positive().max(4096),
	pids: z.number().int().positive(),
	startInterval: z.boolean(),
	limits: z.object({ memory: z.boolean(), cpu: z.boolean(), pids: z.boolean() }),
	gitlabJobs: z.number().int().positive(),
	gitlabUrl: url(true).optional(),
	jenkinsUrl: url(false).optional(),
});

export type Settings = z.infer<typeof settingsSchema>;

export type SettingsReading =
	| { readonly kind: 'settings'; readonly settings: Settings; readonly systems: readonly System[] }
	| { readonly kind: 'wrong'; readonly answers: readonly string[] };

/** The answer that each part of the settings comes from, for the sentence about a wrong one. */
const answerOf: Readonly<Record<string, string>> = {
	engineImage: 'ci.image',
	clientImage: 'ci.image',
	memory: 'ci.memory',
	cpus: 'ci.cpus',
	pids: 'ci.pids',
	gitlabUrl: 'ci.gitlab-url',
	jenkinsUrl: 'ci.jenkins-url',
};

/**
 * Answers, defaults and what the host can do, as one value. A system whose address is not answered yet is left out:
 * the question comes before the plan, so that happens only where nobody was asked (`check`).
 */
export function settingsOf(
	answers: Answers,
	seen: { readonly info: DockerInfo | undefined; readonly digests: LocalDigests; readonly written: readonly string[] },
	defaults: { readonly systems: readonly System[]; readonly gitlabUrl?: string | undefined },
): SettingsReading {
	const { info, digests, written } = seen;
	const name = textAnswer(answers, 'ci.image') ?? defaultImage;
	const engineImage = pinImage(name, written, digests);
	const clientImage = isPinned(name) ? name : pinImage(clientImageOf(name), written, digests);
	const memory = textAnswer(answers, 'ci.memory') ?? defaultMemory(info?.memoryBytes);
	const gitlabUrl = textAnswer(answers, 'ci.gitlab-url') ?? defaults.gitlabUrl;
	const jenkinsUrl = textAnswer(answers, 'ci.jenkins-url');
	const parsed = settingsSchema.safeParse({
		engineImage,
		clientImage,
		pinned: isPinned(engineImage) && isPinned(clientImage),
		startsAsDind: startsAsDind(name),
		jenkinsAgentImage,
		memory,
		cpus: numberAnswer(answers, 'ci.cpus') ?? defaultCpus(info?.cpus),
		pids: numberAnswer(answers, 'ci.pids') ?? defaultPids,
		// Docker refuses a health check with it before this version (moby 25.0, API 1.44).
		startInterval: Number.parseInt(info?.serverVersion ?? '', 10) >= 25,
		// Unknown limits are written: on a host that cannot hold them, Docker says so at the start.
		limits: { memory: info?.limits.memory ?? true, cpu: info?.limits.cpu ?? true, pids: info?.limits.pids ?? true },
		gitlabJobs: jobsThatFit(info?.memoryBytes, memory),
		gitlabUrl,
		jenkinsUrl,
	});
	if (!parsed.success) {
		const wrong = parsed.error.issues.map(issue => answerOf[String(issue.path[0])] ?? String(issue.path[0]));
		return { kind: 'wrong', answers: [...new Set(wrong)] };
	}
	const settings = parsed.data;
	const chosen = systemsOf(answers, defaults.systems).filter(
		system =>
			(system !== 'gitlab' || settings.gitlabUrl !== undefined) &&
			(system !== 'jenkins' || settings.jenkinsUrl !== undefined),
	);
	return { kind: 'settings', settings, systems: chosen };
}

/** The chosen systems, in the order of the catalogue. */
export function systemsOf(answers: Answers, initial: readonly System[]): readonly System[] {
	const chosen = listAnswer(answers, 'ci.systems') ?? initial;
	return systems.filter(system => chosen.includes(system));
}
