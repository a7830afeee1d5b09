import type { Question } from '../../src/model/question.ts';
import { numberAnswer, textAnswer } from '../../src/model/question.ts';
import type { JudgeContext, ReportStep, ReportTarget, StepContext } from '../../src/model/step.ts';
import { composeRecord } from './compose.ts';
import { recordPath } from './record-path.ts';

/** Records are read in a quarter's rhythm: often enough to see what a kernel or Docker update changed. */
const reviewDays = 90;

/** Writes what happened for the team: a reduction of the run's events, nothing else. */
export const recordStep: ReportStep = {
	kind: 'report',
	id: 'record',
	title: 'Record',
	why: 'Writes for the team what was found, changed and proved, and how to revert it.',
	brief: 'what was found, changed and proved, for the team',
	needs: [],
	answerIds: ['record.owner', 'record.review-days'],
	ask: (_answers, _facts, context): readonly Question[] => [
		{
			id: 'record.owner',
			label: 'Owner',
			kind: 'text',
			title: 'Who looks after this host?',
			help: `A person or a team; you, if nothing else is typed. The record names them. It is written to ${pathFor(context)}, and a revert leaves it there.`,
			...(context.state.start?.user !== undefined && { initial: context.state.start.user }),
			// Before the run has begun nobody's name is known; the default is then whoever starts it.
			...(context.state.start === undefined && { initial: 'whoever started the run' }),
			validate: value => (value.trim() === '' ? 'must not be empty' : undefined),
		},
		{
			id: 'record.review-days',
			label: 'Review after',
			kind: 'number',
			title: 'In how many days is this looked at again?',
			help: 'The record names the day, and is written with this answer. Kernel, Docker and Sysbox move on, and what was proved today is proved for today.',
			initial: reviewDays,
			min: 1,
			max: 3650,
			unit: 'days',
		},
	],
	inspect: inspectTarget,
	compose(target, context) {
		if (target.kind === 'refused') throw new Error(`a refused target was composed for: ${target.why}`);
		const owner = textAnswer(context.answers, 'record.owner') ?? context.state.start?.user ?? 'unknown';
		const text = composeRecord(context.state, {
			owner,
			reviewDays: numberAnswer(context.answers, 'record.review-days') ?? reviewDays,
			now: context.now,
			command: context.options.command,
			path: target.path,
			knowledgeDate: context.knowledge.date,
		});
		return {
			id: 'record',
			kind: 'write',
			title: `Write the record to ${target.path}`,
			why: 'The team learns from it what this host is, and can check it against this later. It names weak places, so only its owner and group can read it (mode 0640).',
			path: target.path,
			bytes: new TextEncoder().encode(text),
			mode: 0o640,
			expect: target.exists,
			asDirectoryOwner: true,
		};
	},
};

/** Before the run has begun the host's name is not known. */
const pathFor = ({ state, options, now }: JudgeContext): string =>
	state.start === undefined ? 'the folder you stand in' : recordPath({ hostname: state.start.host, options, now });

async function inspectTarget(context: StepContext): Promise<ReportTarget> {
	const { host, options, now } = context;
	const path = recordPath({ hostname: host.identity.hostname, options, now });
	const directory = path.slice(0, path.lastIndexOf('/')) || '/';
	const found = await context.host.stat(directory);
	if (found.kind === 'missing')
		return { kind: 'refused', why: `the record cannot be written: there is no folder ${directory}` };
	if (found.kind === 'denied')
		return { kind: 'refused', why: `the record cannot be written: ${directory} may not be looked into` };
	if (found.kind !== 'found' || found.type !== 'directory')
		return { kind: 'refused', why: `the record cannot be written: ${directory} is no folder` };
	const { uid } = context.host.identity;
	const { mode, uid: owner } = found.meta;
	if (uid !== 0 && uid !== owner && (mode & 0o002) === 0)
		return { kind: 'refused', why: `the record cannot be written: ${directory} belongs to somebody else` };
	const digest = await context.host.digest(path, { maxBytes: 32 * 1024 * 1024 });
	switch (digest.kind) {
		case 'missing':
			return { kind: 'target', path, exists: { kind: 'missing' } };
		case 'digest': {
			// An earlier record of ours is replaced by what is true now; anything else that lies there is not ours.
			const file = await context.host.readFile(path, { maxBytes: 32 * 1024 * 1024 });
			const ours =
				file.kind === 'bytes' && new TextDecoder().decode(file.bytes.subarray(0, 200)).includes('sysbox-setup-record:');
			return ours
				? { kind: 'target', path, exists: { kind: 'sha256', sha256: digest.sha256 } }
				: { kind: 'refused', why: `the record cannot be written: ${path} is there already and is no record` };
		}
		case 'denied':
			return { kind: 'refused', why: `the record cannot be written: ${path} may not be read` };
		case 'not-a-file':
			return { kind: 'refused', why: `the record cannot be written: ${path} is a ${digest.what}` };
		case 'too-large':
		case 'failed':
			return { kind: 'refused', why: `the record cannot be written: ${path} is not usable` };
		default:
			return digest satisfies never;
	}
}
