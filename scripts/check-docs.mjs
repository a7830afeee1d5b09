// What the docs promise must exist: relative links, `npm run` scripts, and every command of the program in the README.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const skipped = new Set(['node_modules', 'dist', 'demo', '.git', '.tmp', 'coverage']);
const problems = [];

function pages(folder) {
	return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
		if (skipped.has(entry.name) || entry.name === 'THIRD-PARTY-NOTICES.md') return [];
		const path = join(folder, entry.name);
		return entry.isDirectory() ? pages(path) : entry.name.endsWith('.md') ? [path] : [];
	});
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
for (const page of pages(root)) {
	const text = readFileSync(page, 'utf8');
	const name = page.slice(root.length);
	for (const [, target] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
		if (!existsSync(join(dirname(page), target))) problems.push(`${name}: links to ${target}, which is not there`);
	}
	for (const [, script] of text.matchAll(/npm run ([a-z-]+)/g)) {
		if (scripts[script] === undefined) problems.push(`${name}: names npm run ${script}, which is not there`);
	}
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const args = readFileSync(join(root, 'src/args.ts'), 'utf8');
for (const [, command] of args.matchAll(/\.command\('([a-z]+)'\)/g)) {
	if (!readme.includes(`\`${command}`)) problems.push(`README.md: does not name the command ${command}`);
}
for (const [, option] of args.matchAll(/'(--[a-z-]+)/g)) {
	if (!readme.includes(option)) problems.push(`README.md: does not name the option ${option}`);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
