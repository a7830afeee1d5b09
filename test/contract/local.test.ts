import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost } from '../../src/host/local/local-host.ts';
import { describeHostContract } from './host.contract.ts';

describeHostContract('this machine', async () => {
	// A directory of its own for the special files: the root has to be empty at first.
	const outer = await realpath(await mkdtemp(join(tmpdir(), 'host-contract-')));
	const root = join(outer, 'root');
	await mkdir(root);
	execFileSync('/usr/bin/mkfifo', [join(outer, 'fifo')]);
	const server = createServer();
	await new Promise<void>(listening => server.listen(join(outer, 'socket'), listening));
	const isRoot = process.geteuid?.() === 0;
	await writeFile(join(outer, 'private'), 'x', { mode: 0o000 });
	return {
		host: localHost(),
		root,
		put: async (path, content, mode = 0o644, owner) => {
			await writeFile(path, content);
			if (owner !== undefined) await chown(path, owner.uid, owner.gid);
			await chmod(path, mode);
		},
		link: (path, target) => symlink(target, path),
		directory: async (path, mode = 0o755) => {
			await mkdir(path);
			await chmod(path, mode);
		},
		commands: {
			printsTwoLines: ['printf', '%s\\n', 'first', 'second'],
			exits3: ['sh', '-c', 'echo no >&2; exit 3'],
			hangs: ['sleep', '600'],
			echoesStdin: ['cat'],
		},
		specials: { fifo: join(outer, 'fifo'), socket: join(outer, 'socket'), device: '/dev/null' },
		// Root may read everything.
		...(!isRoot && { denied: join(outer, 'private') }),
		cleanup: async () => {
			await new Promise(closed => server.close(closed));
			await rm(outer, { recursive: true, force: true });
		},
	};
});
