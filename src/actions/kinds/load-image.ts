import { shellLine } from '../../text/shell-line.ts';
import { sayExec } from '../command-result.ts';
import { type ActionKind, halfDone } from '../kind.ts';

/** Loads an image from an archive. */
export const loadImage: ActionKind<'load-image'> = {
	does: ({ archive }) => shellLine(['docker', 'load', '-i', archive]),
	undo: ({ image }) => shellLine(['docker', 'image', 'rm', image]),
	essence: ({ archive, image }) => [archive, image],
	prepare: ({ image }) => ({
		kind: 'prepared',
		undo: {
			kind: 'commands',
			commands: [
				{
					argv: ['docker', 'image', 'rm', image],
					timeoutMs: 60_000,
					why: 'the image was loaded for the proofs',
					nothingLeft: 'No such image',
				},
			],
		},
	}),
	async perform({ archive }, { host, signal, report }) {
		const result = await host.run(['docker', 'load', '-i', archive], {
			timeoutMs: 10 * 60_000,
			signal,
			onLine: report,
		});
		if (result.problem === 'cancelled') return { kind: 'interrupted' };
		return result.code === 0 ? { kind: 'done' } : { kind: 'failed', said: sayExec('docker load', result), next: [] };
	},
	now: (_action, undo) => halfDone(undo),
};
