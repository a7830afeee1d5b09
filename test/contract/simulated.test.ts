import { dirname } from 'node:path';
import { fileNode } from '../../src/simulation/file-tree.ts';
import { simulatedHost } from '../../src/simulation/host.ts';
import { scenarioState } from '../../src/simulation/scenarios.ts';
import type { Program } from '../../src/simulation/world.ts';
import { describeHostContract } from './host.contract.ts';

/** The simulation has no shell: this program of the test's own complains. */
const complains = '/usr/bin/complains';
const programs: Readonly<Record<string, Program>> = {
	complains: (_, call) => {
		call.io.err('no\n');
		return 3;
	},
};

describeHostContract('the simulated host', async () => {
	const root = '/var/tmp/contract';
	const host = simulatedHost({ state: scenarioState('fresh-ubuntu'), programs });
	const place = (path: string, node: ReturnType<typeof fileNode>) =>
		host.disturb(({ files }) => {
			files[path] = node;
		});
	place(complains, fileNode('', { mode: 0o755, uid: 0, gid: 0 }));
	place(root, { kind: 'folder', mode: 0o755, uid: 0, gid: 0 });
	place(`${dirname(root)}/fifo`, { kind: 'fifo', mode: 0o644, uid: 0, gid: 0 });
	return {
		host,
		root,
		put: async (path, content, mode = 0o644, owner = { uid: 0, gid: 0 }) =>
			place(path, fileNode(content, { mode, ...owner })),
		link: async (path, target) => place(path, { kind: 'link', to: target }),
		directory: async (path, mode = 0o755) => place(path, { kind: 'folder', mode, uid: 0, gid: 0 }),
		commands: {
			printsTwoLines: ['printf', '%s\\n', 'first', 'second'],
			exits3: [complains],
			hangs: ['sleep', '600'],
			echoesStdin: ['cat'],
		},
		specials: { fifo: `${dirname(root)}/fifo`, socket: '/run/docker.sock', device: '/dev/null' },
		cleanup: async () => undefined,
	};
});

describeHostContract('the simulated host, for a user who is not root', async () => {
	const root = '/home/anna/contract';
	const host = simulatedHost({ state: scenarioState('fresh-debian'), faults: [{ name: 'not-root' }], programs });
	const anna = { uid: 1000, gid: 1000 };
	const place = (path: string, node: ReturnType<typeof fileNode>) =>
		host.disturb(({ files }) => {
			files[path] = node;
		});
	place(complains, fileNode('', { mode: 0o755, uid: 0, gid: 0 }));
	place(root, { kind: 'folder', mode: 0o755, ...anna });
	return {
		host,
		root,
		put: async (path, content, mode = 0o644, owner = anna) => place(path, fileNode(content, { mode, ...owner })),
		link: async (path, target) => place(path, { kind: 'link', to: target }),
		directory: async (path, mode = 0o755) => place(path, { kind: 'folder', mode, ...anna }),
		commands: {
			printsTwoLines: ['printf', '%s\\n', 'first', 'second'],
			exits3: [complains],
			hangs: ['sleep', '600'],
			echoesStdin: ['cat'],
		},
		denied: '/etc/shadow',
		cleanup: async () => undefined,
	};
});
