import type { ReadHost, StatResult } from '../../src/port/host.ts';

/** Where the files go, as the host has it. */
export type TargetDirectory =
	| { readonly kind: 'ready'; readonly path: string; readonly uid: number }
	/** Only the last part is missing: it is made. */
	| { readonly kind: 'missing'; readonly path: string }
	| {
			readonly kind: 'refused';
			readonly path: string;
			readonly why: string;
			readonly remedy: string;
			/** This user may not look there; root may. */
			readonly needsRoot?: true | undefined;
	  };

/** Directories of the system, where files of a CI have no business and where root's rules apply. */
const systemDirectories = [
	'/bin',
	'/boot',
	'/dev',
	'/etc',
	'/lib',
	'/lib64',
	'/proc',
	'/run',
	'/sbin',
	'/sys',
	'/usr',
	'/var/lib',
];

/** What is wrong with a directory's name, before the host is looked at. */
export function directoryNameProblem(text: string): string | undefined {
	if (text.trim() !== text || text === '') return 'must be the path of a folder';
	if (/\p{Cc}/u.test(text)) return 'must not hold control characters';
	if (text.split('/').includes('..')) return 'must not hold ..';
	const path = absolute(text, '/srv');
	if (path === '/') return 'must be a folder of its own';
	const system = systemDirectories.find(directory => path === directory || path.startsWith(`${directory}/`));
	return system === undefined ? undefined : `must not lie in ${system}: that belongs to the system`;
}

/** A path as an absolute one, with each slash once. Relative ones begin in the directory in which the tool was started. */
export function absolute(path: string, base: string): string {
	const parts = `${path.startsWith('/') ? '' : base}/${path}`.split('/').filter(part => part !== '' && part !== '.');
	return `/${parts.join('/')}`;
}

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

export async function lookAtDirectory(host: ReadHost, path: string): Promise<TargetDirectory> {
	const refused = (why: string, remedy: string, problem?: StatResult['kind']): TargetDirectory => ({
		kind: 'refused',
		path,
		why,
		remedy,
		needsRoot: problem === 'denied' && host.identity.uid !== 0 ? true : undefined,
	});
	const found = await host.stat(path);
	if (found.kind === 'found') {
		// Files are written with the rights of the directory's owner, so nobody may bend the way to it.
		if (found.link)
			return refused(
				`${path} is a symbolic link to ${found.meta.realPath}`,
				`Name ${found.meta.realPath} itself, if that is meant.`,
			);
		if (found.type !== 'directory') return refused(`${path} is not a folder`, 'Name another folder.');
		return { kind: 'ready', path, uid: found.meta.uid };
	}
	if (found.kind === 'missing' && found.danglingTo !== undefined)
		return refused(
			`${path} is a symbolic link to ${found.danglingTo}, which is not there`,
			'Name a folder that is there.',
		);
	if (found.kind !== 'missing') return refused(`${path} ${because(found)}`, 'Name another folder.', found.kind);
	const parent = parentOf(path);
	const above = await host.stat(parent);
	if (above.kind === 'missing') return refused(`${parent} is not there`, `Make it first: mkdir -p ${parent}`);
	if (above.kind !== 'found') return refused(`${parent} ${because(above)}`, 'Name another folder.', above.kind);
	if (above.type !== 'directory') return refused(`${parent} is not a folder`, 'Name another folder.');
	return { kind: 'missing', path };
}

function because(problem: Exclude<StatResult, { kind: 'found' } | { kind: 'missing' }>): string {
	switch (problem.kind) {
		case 'denied':
			return 'cannot be looked at: permission denied';
		case 'not-a-file':
			return `is a ${problem.what}`;
		case 'failed':
			return `cannot be looked at (${problem.errno})`;
		default:
			return problem satisfies never;
	}
}
