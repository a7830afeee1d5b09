import * as z from 'zod';
import { diffLineSchema } from '../text/diff.ts';
import { actionRoles } from './action.ts';
import type { DataOf } from './data.ts';
import { findingSchema, threatIds } from './finding.ts';
import { impactSchema } from './impact.ts';
import { openWorkSchema } from './open-work.ts';
import { probeResultSchema, verdicts } from './probe.ts';
import { answerSources, answerValueSchema } from './question.ts';
import { riskNames } from './risk.ts';
import { shownActionSchema } from './shown-action.ts';
import { sha256Schema, undoRecordSchema } from './undo.ts';

/**
 * Everything that happens, as data. The log on disk, `--format json`, the text output, the wizard and the record are
 * readers of these and of nothing else. `v` changes only when a field goes or changes its meaning.
 */
export const eventVersion = 2;

/** Versions of events that are still read. Version 1 had no verdict; its `outcome` of a check said nothing of the host. */
const readVersions = [1, eventVersion] as const;

/** What a host is, in one word, worst last. */
const hostVerdicts = ['set-up', 'ready', 'action-needed', 'unknown', 'incompatible', 'broken'] as const;

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
		source: z.enum(answerSources),
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
		role: z.enum(actionRoles).optional(),
		/** The action of the step that failed, and whose way back this one is a part of. */
		rollbackOf: z.string().optional(),
		diff: z.array(diffLineSchema).optional(),
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
		...probeResultSchema.shape,
		verdict: z.enum([...verdicts, 'left-out']),
		expectation: z.string().optional(),
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
		/** What `open` says, as data. A check, which names the changes of its verdict there, has none. */
		work: z.array(openWorkSchema).optional(),
		/** Of a check: what the host is, how many changes a run would make, and how many actions are left for the operator. */
		verdict: z.enum(hostVerdicts).optional(),
		changes: z.number().optional(),
		forYou: z.number().optional(),
		why: z.string().optional(),
	}),
] as const;

export const eventPayloadSchema = z.discriminatedUnion('type', payloads);
export type EventPayload = DataOf<typeof eventPayloadSchema>;

const envelope = z.object({ v: z.literal(readVersions), seq: z.number().int().nonnegative(), at: z.string() });
export const eventSchema = z.intersection(envelope, eventPayloadSchema);
export type Event = DataOf<typeof eventSchema>;
export type EventOf<T extends Event['type']> = Extract<EventPayload, { type: T }> & {
	readonly seq: number;
	readonly at: string;
};

/** Where events go. The engine writes to one of these; the log on disk answers only after its fsync. */
export type Emit = (payload: EventPayload) => Promise<void>;
