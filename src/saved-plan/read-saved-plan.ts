import { findProperty, type JsonNode, readJsonObject } from '../text/json-text.ts';
import { oneLine } from '../text/safe.ts';
import { planDigest, type SavedPlan, savedPlanSchema, savedPlanVersion } from './saved-plan.ts';

export type SavedPlanRead =
	| { readonly kind: 'plan'; readonly plan: SavedPlan }
	/** With file:line:column where there is a place. */
	| { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** As many problems as tell what is wrong with a file; a file of another kind has hundreds. */
const mostProblems = 5;

/** Reads a saved plan and holds it to its own digest: what was changed by hand was approved by nobody. */
export function readSavedPlan(path: string, bytes: Uint8Array): SavedPlanRead {
	const read = readJsonObject(bytes);
	if (read.kind === 'refused') {
		const { line, column, message, reason } = read.problem;
		return wrong(`${path}:${line}:${column}: ${reason === 'empty' ? 'the file is empty' : message}`);
	}
	const version = findProperty(read.tree, 'sysbox-setup-plan')?.value;
	if (version === undefined) return wrong(`${path}:1:1: is no saved plan`);
	if (version.kind !== 'number' || version.text !== String(savedPlanVersion)) {
		const found = read.text.slice(version.offset, version.end);
		return wrong(
			`${path}:${place(read.text, version.offset)}: this plan has version ${found}, and this sysbox-setup runs plans of version ${savedPlanVersion}`,
		);
	}
	const parsed = savedPlanSchema.safeParse(read.value());
	if (!parsed.success) {
		return wrong(
			...parsed.error.issues.slice(0, mostProblems).map(issue => {
				const node = nodeAt(read.tree, issue.path);
				const name = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
				return `${path}:${place(read.text, node.offset)}: ${name}${issue.message}`;
			}),
		);
	}
	if (planDigest(parsed.data) !== parsed.data.digest)
		return wrong(`${path}: was changed after it was written: its content does not have the digest that it names`);
	return { kind: 'plan', plan: parsed.data };
}

const wrong = (...problems: readonly string[]): SavedPlanRead => ({
	kind: 'wrong',
	problems: problems.map(oneLine),
});

/** The node that a path leads to, or the last one on the way there. */
function nodeAt(root: JsonNode, path: readonly PropertyKey[]): JsonNode {
	let node = root;
	for (const key of path) {
		const next: JsonNode | undefined =
			node.kind === 'object'
				? findProperty(node, String(key))?.value
				: node.kind === 'array'
					? node.items[Number(key)]
					: undefined;
		if (next === undefined) return node;
		node = next;
	}
	return node;
}

function place(text: string, offset: number): string {
	const before = text.slice(0, offset).split('\n');
	return `${before.length}:${[...(before.at(-1) ?? '')].length + 1}`;
}
