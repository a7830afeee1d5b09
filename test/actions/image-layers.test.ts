import { describe, expect, it } from 'vitest';
import { imageLayers } from '../../src/actions/image-layers.ts';

describe('docker pull', () => {
	it('is as far as its layers are, whatever else it says', () => {
		const layers = imageLayers();
		const told = [
			'29-dind: Pulling from library/docker',
			'43c4264eed91: Pulling fs layer',
			'a1b2c3d4e5f6: Pulling fs layer',
			'0123456789ab: Already exists',
			'43c4264eed91: Verifying Checksum',
			'43c4264eed91: Download complete',
			'43c4264eed91: Pull complete',
			'fedcba987654: Download complete',
			'a1b2c3d4e5f6: Pull complete',
			'Digest: sha256:abcd',
		].map(line => {
			const at = layers(line);
			return at === undefined ? undefined : `${at.done} of ${at.total} ${at.unit}`;
		});
		expect(told).toEqual([
			undefined,
			'0 of 1 layers',
			'0 of 2 layers',
			'1 of 3 layers',
			undefined,
			undefined,
			'2 of 3 layers',
			undefined,
			'3 of 3 layers',
			undefined,
		]);
	});

	it('does not count a layer twice', () => {
		const layers = imageLayers();
		layers('43c4264eed91: Pulling fs layer');
		expect(layers('43c4264eed91: Pulling fs layer')).toBeUndefined();
		layers('43c4264eed91: Pull complete');
		expect(layers('43c4264eed91: Pulling fs layer')).toBeUndefined();
	});
});
