// What the docs promise must exist: relative links, `npm run` scripts, every command of the program in the README, and
// every test that is named as evidence.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

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

/** The titles of the tests and groups of a file that run: those of `it.skip` and `it.todo` show nothing. */
function titlesIn(path) {
	const titles = new Set();
	/** `it`, `describe.skipIf(…)`, `test.each(…)` … down to the first name. */
	const parts = callee =>
		ts.isCallExpression(callee)
			? parts(callee.expression)
			: ts.isTaggedTemplateExpression(callee)
				? parts(callee.tag)
				: ts.isPropertyAccessExpression(callee)
					? [...parts(callee.expression), callee.name.text]
					: ts.isIdentifier(callee)
						? [callee.text]
						: [];
	const visit = node => {
		if (ts.isCallExpression(node)) {
			const [first, ...more] = parts(node.expression);
			const [title] = node.arguments;
			const runs = ['it', 'test', 'describe'].includes(first) && !more.some(m => m === 'skip' || m === 'todo');
			if (runs && title !== undefined && ts.isStringLiteralLike(title)) titles.add(title.text);
		}
		ts.forEachChild(node, visit);
	};
	visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest));
	return titles;
}

const titlesOf = new Map();
/** What is wrong with `test/file.test.ts › group › title`, or nothing. */
function missingTest(named) {
	const [file, ...titles] = named.split(' › ');
	const path = join(root, file);
	if (!existsSync(path)) return `names ${file}, which is not there`;
	if (!titlesOf.has(path)) titlesOf.set(path, titlesIn(path));
	const gone = titles.find(title => !titlesOf.get(path).has(title));
	return gone === undefined ? undefined : `${file} has no test “${gone}”`;
}

// docs/architecture.md: each room once, with what scripts/rooms.json lets it import.
const rooms = JSON.parse(readFileSync(join(root, 'scripts/rooms.json'), 'utf8'));
const table = new Map(
	[...readFileSync(join(root, 'docs/architecture.md'), 'utf8').matchAll(/^\| `([^`]+)` \|.*\| (.+) \|$/gm)].map(
		([, room, imports]) => [room, imports],
	),
);
for (const [room, allowed] of Object.entries(rooms)) {
	const said = table.get(room);
	const wanted = allowed.length === 0 ? '–' : allowed.join(', ');
	if (said !== wanted) problems.push(`docs/architecture.md: ${room} may import ${wanted}, and the table says ${said}`);
}
for (const room of table.keys())
	if (room !== 'src/cli' && !(room in rooms))
		problems.push(`docs/architecture.md: ${room} is no room of scripts/rooms.json`);

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
	for (const [, named] of text.matchAll(/`(test\/[^`\s]+\.test\.tsx? › [^`]+)`/g)) {
		const problem = missingTest(named);
		if (problem !== undefined) problems.push(`${name}: ${problem}`);
	}
}

// Each line of the page on safety is a claim, and a claim without a test is a hope.
const safety = readFileSync(join(root, 'docs/safety.md'), 'utf8').split('\n');
for (const [index, line] of safety.entries()) {
	const isRow = line.startsWith('| ') && !line.startsWith('| ---') && !safety[index + 1]?.startsWith('| ---');
	if (isRow && !/`test\/[^`]+ › [^`]+`/.test(line)) problems.push(`docs/safety.md:${index + 1}: names no test`);
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const args = readFileSync(join(root, 'src/cli/args.ts'), 'utf8');
for (const [, command] of args.matchAll(/\.command\('([a-z]+)'\)/g)) {
	if (!readme.includes(`\`${command}`)) problems.push(`README.md: does not name the command ${command}`);
}
for (const [, option] of args.matchAll(/'(--[a-z-]+)/g)) {
	if (!readme.includes(option)) problems.push(`README.md: does not name the option ${option}`);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
