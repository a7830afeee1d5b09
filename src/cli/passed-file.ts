import { open } from 'node:fs/promises';

/**
 * The bytes of a file that was passed on the command line; undefined where it has more than `most` bytes. A pipe
 * (`<(…)`) and a device are read too, but no further than that: /dev/zero has no size and no end. Rejects with the
 * system's error.
 */
export async function readPassedFile(path: string, most: number): Promise<Buffer | undefined> {
	const file = await open(path);
	try {
		const chunks: Buffer[] = [];
		let total = 0;
		for (;;) {
			const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(64 * 1024, most + 1 - total)));
			if (bytesRead === 0) return Buffer.concat(chunks);
			chunks.push(buffer.subarray(0, bytesRead));
			total += bytesRead;
			if (total > most) return undefined;
		}
	} finally {
		await file.close();
	}
}
