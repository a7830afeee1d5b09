import * as z from 'zod';
import { severities, threatIds } from './finding.ts';
import { fates } from './impact.ts';
import { riskNames } from './risk.ts';

/**
 * Everything that happens, as data. The log on disk, `--format json`, the text output, the wizard and the record are
 * readers of these and of nothing else. `v` changes only when a field goes or changes its meaning.
 */
export const eventVersion = 2;

/** Versions of events that are still read. Version 1 had no verdict; its `outcome` of a check said nothing of the host. */
const readVersions = [1, eventVersion] as const;

export const answerValueSchema = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
export const findingSchema = z.object({
	id: z.string(),
	severity: z.enum(severities),
	summary: z.string(),
	evidence: z.string().optional(),
	why: z.string().optional(),
	remedy: z
		.discriminatedUnion('kind', [
			z.object({ kind: z.literal('planned'), text: z.string() }),
			z.object({ kind: z.literal('commands'), text: z.string(), commands: z.array(z.string()) }),
			z.object({ kind: z.literal('advice'), text: z.string() }),
		])
		.optional(),
	needsRoot: z.literal(true).optional(),
	follows: z.string().optional(),
	threat: z.enum(threatIds).optional(),
	keeps: z.literal('threat').optional(),
	caps: z.literal('threat').optional(),
	breaks: z.literal(true).optional(),
	needs: z.enum(['reboot', 'operator']).optional(),
	waived: z.object({ reason: z.string(), expires: z.string() }).optional(),
});

/** What a host is, in one word, worst last. */
const verdicts = ['set-up', 'ready', 'action-needed', 'unknown', 'incompatible', 'broken'] as const;

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256, 64 hexadecimal digits');
const argv = z.array(z.string()).min(1);

const diffLine = z.object({
	kind: z.enum(['context', 'add', 'remove', 'hunk', 'note']),
	text: z.string(),
	oldLine: z.number().optional(),
	newLine: z.number().optional(),
});

/** An action as it is shown: no bytes, only redacted diffs and exact commands. */
export const shownActionSchema = z.object({
	id: z.string(),
	kind: z.enum([
		'exec',
		'write',
		'remove',
		'make-folder',
		'remove-folder',
		'signal',
		'download',
		'copy',
		'load-image',
		'restore',
		'manual',
	]),
	title: z.string(),
	why: z.string(),
	risks: z.array(z.enum(riskNames)).optional(),
	/** The line an operator could type, or the file that is written. */
	does: z.string(),
	diff: z.array(diffLine).optional(),
	/** The whole content of a file that others have to write, redacted as the diff is. */
	content: z.string().optional(),
	touches: z.array(z.string()).optional(),
	/** The action of the same plan that it only prepares or follows: not counted as a change of its own. */
	serves: z.string().optional(),
	waitsFor: z.string().optional(),
	undo: z.string(),
	rollback: z.array(z.string()).optional(),
	/** What is done to the byte, as digests of the true words and bytes: a saved plan is held to it. */
	exact: z
		.object({
			/** Of everything that the action does. */
			sha256: sha256Schema,
			/** The command, without secrets. */
			argv: argv.optional(),
			/** It gives back what the run itself took away. */
			givesBack: z.literal(true).optional(),
			/** The file that is written or removed: its bytes before and after; null: there is none. */
			file: z.object({ path: z.string(), before: sha256Schema.nullable(), after: sha256Schema.nullable() }).optional(),
		})
		.optional(),
});
export type ShownAction = z.infer<typeof shownActionSchema>;

const undoCommand = z.object({
	argv,
	timeoutMs: z.number(),
	why: z.string(),
	nothingLeft: z.string().optional(),
	sets: z.object({ file: z.string(), before: z.string(), after: z.string() }).optional(),
});
const earlierPackage = { name: z.string(), version: z.string(), auto: z.boolean() };

/** What revert needs, by reference: bytes lie in the run's backup directory under their sha256. */
export const undoRecordSchema = z.discriminatedUnion('kind', [
	z.object({
		kind: z.literal('file'),
		path: z.string(),
		/** What was there before; null: nothing. */
		before: z.object({ sha256: z.string(), mode: z.number(), uid: z.number(), gid: z.number() }).nullable(),
		/** What the action leaves; null: nothing (a removal). Revert refuses when the host shows something else. */
		after: z.string().nullable(),
	}),
	z.object({ kind: z.literal('folder'), path: z.string() }),
	z.object({
		kind: z.literal('commands'),
		commands: z.array(undoCommand),
		leaves: z.array(z.string()).optional(),
	}),
	z.object({
		kind: z.literal('packages'),
		changes: z.object({
			installed: z.array(z.string()),
			removed: z.array(z.object(earlierPackage)),
			replaced: z.array(z.object({ ...earlierPackage, by: z.string() })),
		}),
		commands: z.array(undoCommand).optional(),
		leaves: z.array(z.string()).optional(),
	}),
	z.object({ kind: z.literal('none'), why: z.string() }),
]);
export type UndoRecord = z.infer<typeof undoRecordSchema>;

const evidence = z.object({ what: z.string(), said: z.string() });
export const impactSchema = z.object({
	stops: z.array(z.string()),
	notes: z.array(z.string()),
	containers: z
		.array(
			z.object({
				id: z.string(),
				name: z.string(),
				image: z.string(),
				owner: z.string().optional(),
				job: z.literal(true).optional(),
				restartPolicy: z.string(),
				startedAt: z.string(),
				runningMs: z.number().optional(),
				fate: z.enum(fates),
				startedAgain: z.literal(true).optional(),
			}),
		)
		.optional(),
});
const inStep = { step: z.string() };
/** The saved plan that a run is held to, by its digest. */
const heldTo = z.object({ file: z.string(), digest: sha256Schema });

export const stepStatuses = [
	'unchanged',
	'done',
	'proved',
	'failed',
	'blocked',
	'undecided',
	'skipped',
	'open',
	'reported',
	'not-run',
] as const;
export type StepStatus = (typeof stepStatuses)[number];

const payloads = [
	z.object({
		type: z.literal('run.start'),
		run: z.string(),
		tool: z.string(),
		mode: z.enum(['run', 'check', 'plan', 'test', 'revert']),
		simulated: z.boolean(),
		host: z.string(),
		user: z.string(),
		command: z.array(z.string()),
		changeId: z.string().optional(),
		/** The run whose changes this one takes back. */
		reverts: z.string().optional(),
		plan: heldTo.optional(),
	}),
	/** A later process goes on with the same run. */
	z.object({
		type: z.literal('run.resume'),
		tool: z.string(),
		user: z.string(),
		command: z.array(z.string()),
		plan: heldTo.optional(),
	}),
	z.object({
		type: z.literal('step.start'),
		...inStep,
		title: z.string(),
		kind: z.enum(['change', 'proof', 'report']),
		n: z.number(),
		of: z.number(),
	}),
	/** A dated observation. Evidence for the record and for comparison; never input to a plan. */
	z.object({ type: z.literal('observed'), ...inStep, key: z.string(), value: z.json() }),
	z.object({
		type: z.literal('findings'),
		...inStep,
		when: z.enum(['before', 'after']),
		findings: z.array(findingSchema),
	}),
	z.object({
		type: z.literal('answer'),
		...inStep,
		id: z.string(),
		value: answerValueSchema,
		source: z.enum(['default', 'answers', 'operator', 'saved', 'last-run']),
	}),
	z.object({
		type: z.literal('plan'),
		...inStep,
		actions: z.array(shownActionSchema),
		impact: impactSchema.optional(),
	}),
	z.object({
		type: z.literal('decision'),
		...inStep,
		decision: z.enum(['apply', 'skip', 'quit', 'refused']),
		risks: z.array(z.enum(riskNames)),
		why: z.string().optional(),
	}),
	z.object({
		type: z.literal('action.intent'),
		...inStep,
		action: z.string(),
		title: z.string(),
		kind: z.string(),
		does: z.string(),
		diff: z.array(diffLine).optional(),
		undo: undoRecordSchema,
		/** Earlier actions of the step that are taken back once this one is done. */
		takesBack: z.array(z.string()).optional(),
	}),
	z.object({
		type: z.literal('output'),
		...inStep,
		action: z.string(),
		stream: z.enum(['stdout', 'stderr']),
		line: z.string(),
	}),
	z.object({
		type: z.literal('progress'),
		...inStep,
		action: z.string(),
		done: z.number(),
		total: z.number().optional(),
		unit: z.string(),
	}),
	z.object({
		type: z.literal('action.outcome'),
		...inStep,
		action: z.string(),
		outcome: z.enum(['done', 'failed', 'rolled-back', 'refused', 'interrupted', 'manual']),
		ms: z.number(),
		evidence: z.string().optional(),
		/** A file that could not be exchanged in one moment: a power cut meanwhile could have torn it. */
		inPlace: z.literal(true).optional(),
		failure: z
			.object({ said: z.string(), why: z.string().optional(), now: z.string().optional(), next: z.array(z.string()) })
			.optional(),
	}),
	z.object({
		type: z.literal('probe.start'),
		...inStep,
		id: z.string(),
		title: z.string(),
		attempt: z.string(),
		n: z.number(),
		of: z.number(),
	}),
	z.object({
		type: z.literal('probe'),
		...inStep,
		id: z.string(),
		title: z.string(),
		threats: z.array(z.enum(threatIds)),
		verdict: z.enum(['pass', 'fail', 'could-not-tell', 'left-out']),
		because: z.string(),
		expectation: z.string().optional(),
		evidence: z.array(evidence),
		/** Where the reason is known: what to do about it. */
		next: z.array(z.string()).optional(),
		ms: z.number(),
	}),
	z.object({
		type: z.literal('step.end'),
		...inStep,
		status: z.enum(stepStatuses),
		why: z.string().optional(),
		changed: z.boolean(),
		open: z.array(z.string()),
	}),
	z.object({
		type: z.literal('record.written'),
		...inStep,
		path: z.string(),
		sha256: z.string(),
		incomplete: z.boolean(),
	}),
	z.object({
		type: z.literal('run.end'),
		outcome: z.enum([
			'done',
			'nothing-to-do',
			'failed',
			'blocked',
			'undecided',
			'open',
			'refused',
			'interrupted',
			'locked',
			'wrong-input',
		]),
		exit: z.number(),
		changed: z.boolean(),
		reboot: z.boolean(),
		open: z.array(z.string()),
		/** Of a check: what the host is, how many changes a run would make, and how many actions are left for the operator. */
		verdict: z.enum(verdicts).optional(),
		changes: z.number().optional(),
		forYou: z.number().optional(),
		why: z.string().optional(),
	}),
] as const;

export const eventPayloadSchema = z.discriminatedUnion('type', payloads);
export type EventPayload = z.infer<typeof eventPayloadSchema>;

const envelope = z.object({ v: z.literal(readVersions), seq: z.number().int().nonnegative(), at: z.string() });
export const eventSchema = z.intersection(envelope, eventPayloadSchema);
export type Event = z.infer<typeof eventSchema>;
export type EventOf<T extends Event['type']> = Extract<EventPayload, { type: T }> & {
	readonly seq: number;
	readonly at: string;
};

/** Where events go. The engine writes to one of these; the log on disk answers only after its fsync. */
export type Emit = (payload: EventPayload) => Promise<void>;
