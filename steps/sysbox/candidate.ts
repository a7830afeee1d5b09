import { latestRelease, type ReleasePackage, releaseByDigest } from '../../src/knowledge/lookup.ts';
import type { ReleaseRow } from '../../src/model/knowledge.ts';
import type { RunOptions, StepContext } from '../../src/model/step.ts';
import { largestOwnFile, type ReadHost } from '../../src/port/host.ts';
import { type DebControl, readDebControl } from './deb-package.ts';

/** The package that would be installed: the operator's own file, or the newest release that is known. */
export type Candidate =
	| {
			readonly kind: 'file';
			readonly path: string;
			readonly sha256: string;
			/** Its copy, where nobody can exchange it between the look and apt's own reading. */
			readonly target: string;
			/** The copy is there already, from a run that was left. */
			readonly fetched: boolean;
			readonly directoryExists: boolean;
			readonly control: DebControl;
			/** Undefined: no published package has this digest. */
			readonly known: { readonly release: ReleaseRow; readonly package: ReleasePackage } | undefined;
	  }
	| {
			readonly kind: 'unusable-file';
			readonly path: string;
			readonly problem: string;
			readonly needsRoot?: true | undefined;
	  }
	| {
			readonly kind: 'release';
			readonly release: ReleaseRow;
			readonly package: ReleasePackage;
			readonly target: string;
			/** The file is there already, from a run that was left, with the right digest. */
			readonly fetched: boolean;
			readonly directoryExists: boolean;
	  }
	| { readonly kind: 'none'; readonly why: string };

export const largestPackage = largestOwnFile;

export const downloadsDirectory = (options: RunOptions): string => `${options.stateDirectory}/downloads`;

export async function inspectCandidate(context: StepContext, arch: string | undefined): Promise<Candidate> {
	const { host, options, knowledge } = context;
	if (options.deb !== undefined) return inspectFile(context, absolute(options.deb, options.workingDirectory));
	const release = latestRelease(knowledge);
	if (release === undefined) return { kind: 'none', why: 'the table of releases is empty' };
	const found = release.packages.find(p => p.arch === arch);
	if (found === undefined) {
		const published = release.packages.map(p => p.arch).join(' and ');
		return { kind: 'none', why: `Sysbox is published for ${published}, not for ${arch ?? 'this machine'}` };
	}
	const directory = downloadsDirectory(options);
	const target = `${directory}/${found.url.slice(found.url.lastIndexOf('/') + 1)}`;
	return {
		kind: 'release',
		release,
		package: found,
		target,
		fetched: await hasDigest(host, target, found.sha256),
		directoryExists: (await host.stat(directory)).kind === 'found',
	};
}

async function hasDigest(host: ReadHost, path: string, sha256: string): Promise<boolean> {
	const result = await host.digest(path, { maxBytes: largestPackage });
	return result.kind === 'digest' && result.sha256 === sha256;
}

async function inspectFile(context: StepContext, path: string): Promise<Candidate> {
	const { host, knowledge, signal } = context;
	const digest = await host.digest(path, { maxBytes: largestPackage });
	switch (digest.kind) {
		case 'digest':
			return {
				kind: 'file',
				path,
				sha256: digest.sha256,
				...(await placeOfCopy(context, path, digest.sha256)),
				control: await readDebControl(host, path, signal),
				known: releaseByDigest(knowledge, digest.sha256),
			};
		case 'missing':
			return { kind: 'unusable-file', path, problem: 'is not there' };
		case 'denied':
			return { kind: 'unusable-file', path, problem: 'may not be read by this user', needsRoot: true };
		case 'not-a-file':
			return { kind: 'unusable-file', path, problem: `is a ${digest.what}, not a file` };
		case 'too-large':
			return { kind: 'unusable-file', path, problem: `has ${digest.size} bytes, more than any package` };
		case 'failed':
			return { kind: 'unusable-file', path, problem: `cannot be read (${digest.errno})` };
		default:
			return digest satisfies never;
	}
}

/** A name of its own for each content, so that a copy never takes the place of one that an earlier run made. */
async function placeOfCopy({ host, options }: StepContext, path: string, sha256: string) {
	const directory = downloadsDirectory(options);
	const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.deb$/, '');
	const target = path.startsWith(`${directory}/`) ? path : `${directory}/${sha256.slice(0, 12)}-${name}.deb`;
	return {
		target,
		fetched: await hasDigest(host, target, sha256),
		directoryExists: (await host.stat(directory)).kind === 'found',
	};
}

const absolute = (path: string, directory: string): string => (path.startsWith('/') ? path : `${directory}/${path}`);

/** The version that the candidate would bring, as a person reads it. */
export function candidateVersion(candidate: Candidate): string | undefined {
	switch (candidate.kind) {
		case 'file':
			return candidate.control.kind === 'control' ? candidate.control.version : undefined;
		case 'release':
			return candidate.release.version;
		default:
			return undefined;
	}
}

/** The published package that it is, where that is known. */
export function publishedPackage(candidate: Candidate): ReleasePackage | undefined {
	switch (candidate.kind) {
		case 'file':
			return candidate.known?.package;
		case 'release':
			return candidate.package;
		default:
			return undefined;
	}
}

/** The file that apt is given. */
export const candidateFile = (candidate: Extract<Candidate, { kind: 'file' | 'release' }>): string => candidate.target;

/** Somebody other than this tool's makers vouches for a digest in the table, and they say who. */
export const isVouchedFor = (found: ReleasePackage | undefined): boolean =>
	found !== undefined && /^(vendor|third parties):/.test(found.provenance);
