import { errnoWords } from '../errno.ts';
import { absolute, digestOf, sha256, sizeOf } from '../file-tree.ts';
import { sysboxControl } from '../packages.ts';
import { createNode, removeNode } from '../scope.ts';
import type { FileNode } from '../state.ts';
import { type Program, type Release, type Scope, spend, UnsimulatedCommand } from '../world.ts';
import { lastOf, parseOptions } from './options.ts';

/** What the simulated network carries. */
const bytesPerMs = 6_000;

/** The head of an address (-I), or a file of the simulated internet into one of the host (-C - -o FILE). */
export const curl: Program = (scope, call) => {
	const { world } = scope;
	const options = parseOptions(call.argv.slice(1), {
		withValue: [
			...['--proto', '--proto-redir', '--connect-timeout', '--max-time', '--speed-time', '--retry'],
			...['-C', '--max-filesize', '-o'],
		],
		flags: ['-q', '--tlsv1.2', '-f', '-s', '-S', '-I', '-L'],
	});
	const url = options.words.at(-1) ?? '';
	const file = lastOf(options, '-o');
	if (file === undefined || options.unknown.length > 0)
		throw new UnsimulatedCommand(call.argv, 'curl -I or -C - with -o');
	spend(world, 120);
	const fail = (code: number, why: string): number => {
		call.io.err(`curl: (${code}) ${why}\n`);
		return code;
	};
	if (!world.state.internet) return fail(6, `Could not resolve host: ${new URL(url).hostname}`);
	if (options.flags.has('-I')) return 0;
	call.io.err('  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n');
	call.io.err('                                 Dload  Upload   Total   Spent    Left  Speed\n');
	const release = world.releases.find(each => each.url === url);
	if (release === undefined) return fail(22, 'The requested URL returned error: 404');
	const to = absolute(file, scope.cwd);
	const { size: there, fits } = begunAt(scope, to, release);
	if (there >= release.size) return fail(22, 'The requested URL returned error: 416');
	if (release.size - there > Number(lastOf(options, '--max-filesize'))) return fail(63, 'Maximum file size exceeded');
	const cut = world.faults.fires('download-cut', url) !== undefined;
	const until = cut ? there + Math.floor((release.size - there) / 2) : release.size;
	const errno = createNode(scope, to, fits ? ofRelease(scope, release, until) : another(scope, until));
	if (errno !== undefined) {
		call.io.err(`Warning: Failed to open the file ${to}: ${errnoWords(errno)}\n`);
		return fail(23, 'Failure writing output to destination');
	}
	const total = release.size - there;
	const parts = 8;
	for (let part = 0; part <= parts; part += 1) {
		const received = Math.round(((until - there) * part) / parts);
		const percent = `${Math.floor((received * 100) / total)}`.padStart(3);
		call.io.err(
			`\r${percent} ${short(total)} ${percent} ${short(received)}    0     0  6000k      0  0:00:02 --:--:-- --:--:-- 6000k`,
		);
	}
	call.io.err('\n');
	spend(world, 180 + (until - there) / bytesPerMs);
	return cut ? fail(18, `transfer closed with ${release.size - until} bytes remaining to read`) : 0;
};

/** `apt-helper download-file URL FILE SHA256:DIGEST` */
export const aptHelper: Program = (scope, call) => {
	const { world } = scope;
	const [, , url = '', file = '', hash = ''] = call.argv;
	const to = absolute(file, scope.cwd);
	const fail = (why: string): number => {
		call.io.out(`Err:1 ${url}\n  ${why}\n`);
		call.io.err(`E: Failed to fetch ${url}  ${why}\nE: Download Failed\n`);
		return 100;
	};
	spend(world, 300);
	if (!world.state.internet) return fail(`Could not resolve '${new URL(url).hostname}'`);
	const release = world.releases.find(each => each.url === url);
	if (release === undefined) return fail('404  Not Found');
	const { fits } = begunAt(scope, to, release);
	const node = fits ? ofRelease(scope, release, release.size) : another(scope, release.size);
	const right = hash === `SHA256:${digestOf(node)}`;
	if (!right) removeNode(scope, to);
	const errno = createNode(scope, right ? to : `${to}.FAILED`, node);
	if (errno !== undefined) return fail(`Could not open file ${to} - open (${errnoWords(errno)})`);
	call.io.out(`Get:1 ${url} [${Math.round(release.size / 1000)} kB]\n`);
	spend(world, release.size / bytesPerMs);
	return right ? 0 : fail('Hash Sum mismatch');
};

/** What is there already, and whether the file begins so. */
function begunAt(scope: Scope, path: string, release: Release): { readonly size: number; readonly fits: boolean } {
	const node = scope.view.get(path);
	if (node?.kind !== 'file') return { size: 0, fits: true };
	const size = sizeOf(node);
	return { size, fits: size === 0 || digestOf(node) === digestUntil(release, size) };
}

/** The simulated internet has no bytes, so a beginning has a digest that is made up, the same each time. */
const digestUntil = (release: Release, size: number): string =>
	size === release.size ? release.sha256 : sha256(`${size} bytes of ${release.sha256}`);

function ofRelease({ who }: Scope, release: Release, size: number): Extract<FileNode, { kind: 'file' }> {
	const control = size === release.size ? sysboxControl(release.url) : undefined;
	return {
		kind: 'file',
		...{ mode: 0o644, uid: who.uid, gid: who.gid },
		declared: {
			size,
			sha256: digestUntil(release, size),
			holds: control === undefined ? undefined : { kind: 'deb', package: control },
		},
	};
}

const another = ({ who }: Scope, size: number): Extract<FileNode, { kind: 'file' }> => ({
	kind: 'file',
	...{ mode: 0o644, uid: who.uid, gid: who.gid },
	declared: { size, sha256: sha256('another beginning') },
});

/** As curl's meter writes a number of bytes. */
function short(bytes: number): string {
	if (bytes < 100_000) return `${bytes}`.padStart(5);
	if (bytes < 10_000 * 1024) return `${Math.floor(bytes / 1024)}k`.padStart(5);
	return `${(Math.floor((bytes * 10) / 1024 ** 2) / 10).toFixed(1)}M`.padStart(5);
}
