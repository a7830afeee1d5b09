import { describe, expect, it } from 'vitest';
import { line, plainText, type Span, span, wrap } from '../../src/ui/line.ts';

const rows = (parts: readonly (string | Span)[], width: number, hang = 0): readonly string[] =>
	wrap(line(...parts), width, hang).map(plainText);

describe('a row that is longer than the screen', () => {
	it('begins where a shorter one would: spaces of two parts that meet are all kept', () => {
		const shorter = rows([span('  22 ', 'dim'), span('+ ', 'add'), '        FROM x'], 60, 10);
		const longer = rows(
			[span('  23 ', 'dim'), span('+ ', 'add'), '        COPY --from=docker:29-cli /usr/local/bin/docker'],
			60,
			10,
		);
		expect(longer.length).toBeGreaterThan(1);
		expect(longer[0]?.indexOf('COPY')).toBe(shorter[0]?.indexOf('FROM'));
	});

	it('keeps every space but those where it is broken', () => {
		expect(rows([span('a '), span('  b'), span('   '), span(' c dddddd')], 10)).toEqual(['a   b    c', 'dddddd']);
	});
});
