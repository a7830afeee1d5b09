import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/text/did-you-mean.ts';

describe('the near word', () => {
	it('is found over a slip, whatever the case', () => {
		expect(nearest('daemn', ['host', 'daemon', 'docker'])).toBe('daemon');
		expect(nearest('Sysbx', ['host', 'sysbox'])).toBe('sysbox');
		expect(nearest('dokcer', ['host', 'docker'])).toBe('docker');
		expect(nearest('ic', ['ci', 'host'])).toBeUndefined();
		expect(nearest('c', ['ci'])).toBe('ci');
	});

	it('is not guessed when nothing is near', () => {
		expect(nearest('kubernetes', ['host', 'daemon'])).toBeUndefined();
		expect(nearest('x', [])).toBeUndefined();
		expect(didYouMean('kubernetes', ['host'])).toBe('');
		expect(didYouMean('hots', ['host'])).toBe('');
		expect(didYouMean('hostt', ['host'])).toBe(' Did you mean host?');
	});

	it('is the nearest of several', () => {
		expect(nearest('security', ['securely', 'security'])).toBe('security');
	});
});
