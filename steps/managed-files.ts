import { delegate } from '../src/actions/delegate.ts';
import { inspectDockerdUnit } from '../src/docker/dockerd-unit.ts';
import type { Managed } from '../src/model/managed-files.ts';
import { yesNoAnswer } from '../src/model/question.ts';
import { type ChangeStep, changeStep, type JudgeContext, type Step, type StepContext } from '../src/model/step.ts';
import {
	inspectManagers,
	type ManagerTrace,
	managerUnits,
	repositoryBehind,
} from '../src/system/configuration-managers.ts';
import { inspectUnits } from '../src/system/systemd-units.ts';
import { managedId } from './host/managed.ts';

/** What was seen of others who write configuration here. */
interface Others {
	readonly traces: readonly ManagerTrace[];
	readonly links: readonly Managed[];
	/** The file that dockerd reads: configuration wherever it lies. */
	readonly dockerdFile?: string | undefined;
}

interface Facts {
	readonly own: unknown;
	readonly others: Others;
}

/**
 * The same step with its hands off the files that others write: those of `--managed`; without it, where there are traces
 * of a configuration manager, everything that lasts below /etc and the file that dockerd reads; and a file that is a link
 * into a repository. An answer of no to the host step's question takes that default back.
 */
export function withManagedFiles(step: Step): Step {
	if (step.kind !== 'change') return step;
	const { observe, ask, cleanup } = step;
	return changeStep<Facts>({
		...withoutKind(step),
		async inspect(context) {
			const own = await step.inspect(context);
			return { own, others: await inspectOthers(step, own, context) };
		},
		judge: ({ own }, context) => step.judge(own, context),
		...(observe !== undefined && { observe: ({ own }: Facts) => observe(own) }),
		...(ask !== undefined && {
			ask: (answers, facts: Facts | undefined, context) => ask(answers, facts?.own, context),
		}),
		...(cleanup !== undefined && { cleanup: ({ own }: Facts, context) => cleanup(own, context) }),
		plan: ({ own, others }, context) => delegate(step.plan(own, context), managedFiles(others, context)),
	});
}

/** Where a run writes settings that last. Its own units that guard a restart are gone before it ends. */
const configuration = ['/etc/docker', '/etc/sysctl.d', '/etc/apparmor.d'] as const;

const withoutKind = ({ kind: _, ...step }: ChangeStep<unknown>): Omit<ChangeStep<unknown>, 'kind'> => step;

const decided = ({ options, answers }: JudgeContext): boolean =>
	options.managed !== undefined || yesNoAnswer(answers, managedId) === false;

async function inspectOthers(step: ChangeStep<unknown>, own: unknown, context: StepContext): Promise<Others> {
	if (decided(context)) return { traces: [], links: [] };
	const paths = step.plan(own, context).actions.flatMap(action => (action.kind === 'write' ? [action.path] : []));
	// Most looks of a run find nothing to write, and need not know who else would.
	if (paths.length === 0) return { traces: [], links: [] };
	const { host, signal } = context;
	const [traces, { configFile }, ...links] = await Promise.all([
		inspectUnits(host, managerUnits, signal).then(units => inspectManagers(host, units)),
		inspectDockerdUnit(host, signal),
		...paths.map(async (path): Promise<readonly Managed[]> => {
			const repository = await repositoryBehind(host, path);
			return repository === undefined ? [] : [{ path, by: `the repository in ${repository}` }];
		}),
	]);
	return { traces, links: links.flat(), dockerdFile: configFile };
}

function managedFiles({ traces, links, dockerdFile }: Others, context: JudgeContext): readonly Managed[] {
	const { managed } = context.options;
	if (managed !== undefined) return managed.map(path => ({ path, by: 'whoever manages it' }));
	if (decided(context)) return [];
	const names = [...new Set(traces.map(trace => trace.by))];
	if (names.length === 0) return links;
	const paths = [...configuration, ...(dockerdFile === undefined ? [] : [dockerdFile])];
	return [...links, ...paths.map(path => ({ path, by: names.join(' and ') }))];
}
