import { build } from 'esbuild';
import stringWidth from 'string-width';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleSettings } from '../../scripts/bundle-settings.mjs';

let bundled: typeof stringWidth;

beforeAll(async () => {
	const { outputFiles } = await build({
		...bundleSettings('0.0.0'),
		banner: {},
		stdin: { contents: "export { default } from 'string-width';", resolveDir: import.meta.dirname },
		splitting: false,
		write: false,
	});
	const text = outputFiles[0]?.text ?? '';
	expect(text).toContain('segment.length > 1');
	bundled = (await import(`data:text/javascript,${encodeURIComponent(text)}`)).default;
});

describe('a package that is bundled with a shortcut', () => {
	it('finds every single code unit as wide as without it', () => {
		const different: string[] = [];
		for (let unit = 0; unit <= 0xffff; unit += 1) {
			const text = String.fromCharCode(unit);
			if (bundled(text) !== stringWidth(text)) different.push(unit.toString(16));
		}
		expect(different).toEqual([]);
	});

	it.each(['©️', '⚠️', '1️⃣', '#⃣', '🇩🇪', '👩‍💻', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '😀', 'é', '한', '─── ✔ 好'])(
		'finds %s as wide as without it',
		text => {
			expect(bundled(text)).toBe(stringWidth(text));
		},
	);
});
