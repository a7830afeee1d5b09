import { fileProblem, whyItMatters } from '../../../src/docker/daemon-file.ts';
import { missingFile } from '../../../src/docker/dockerd-unit.ts';
import { verdictFindings } from '../../../src/docker/validation.ts';
import { type Check, ok } from './check.ts';

/** The next steps edit this file. What keeps them from it is said here, before anything on the host was changed. */
export const daemonJsonChecks: readonly Check[] = [
	{
		id: 'daemon-json.valid',
		about: "whether Docker's daemon.json can be read and edited",
		why: whyItMatters,
		judge: ({ daemonFile, dockerd }) =>
			fileProblem(daemonFile) ??
			ok(
				daemonFile.content.kind === 'missing'
					? missingFile(daemonFile.path, dockerd)
					: `${daemonFile.path} can be read and edited`,
				daemonFile.path,
			),
	},
	{
		id: 'daemon-json.accepted',
		about: 'whether dockerd accepts its daemon.json',
		why: 'It would refuse to reload a file that it does not accept, and would not start with it',
		judge: ({ daemonFile, validation }) =>
			verdictFindings({ file: daemonFile, validation })[0] ??
			ok('There is no daemon.json that dockerd could refuse', daemonFile.path),
	},
];
