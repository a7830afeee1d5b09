/** Nothing of these may be in a pipeline of ours; in a comment they may be explained. */
const forbidden: readonly (readonly [RegExp, string])[] = [
	[/privileged/i, 'asks for privileges'],
	[/docker\.sock/, "names an engine's socket"],
	[/(?:--(?:pid|net|network|ipc|uts|userns)|volumes-from)[= ]/, 'shares something of the host'],
	[/(?:^|\s)-v\s+\//, 'mounts a path of the host'],
	[/\bSYSBOX_/, 'sets a variable that sysbox-runc refuses'],
	[/\btcp:\/\/[^\s'"]*:2375\b/, 'talks to an engine without TLS'],
];

/** What is wrong with a pipeline of ours. Groovy is not parsed: what is looked for is what would let a job out. */
export function jenkinsfileProblems(text: string): readonly string[] {
	const { code, problem } = withoutComments(text);
	const problems = forbidden.filter(([pattern]) => pattern.test(code)).map(([, what]) => what);
	return [
		...(problem === undefined ? [] : [problem]),
		...problems,
		...(/^\s*pipeline\s*\{/.test(code) ? [] : ['is no declarative pipeline']),
		...(/\bagent\s*\{\s*label\s+'sysbox'\s*\}/.test(code) ? [] : ["does not choose the agent's label"]),
	];
}

const closers: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

/** The text without comments, and whether its brackets and quotes close. */
function withoutComments(text: string): { readonly code: string; readonly problem?: string | undefined } {
	const open: string[] = [];
	let code = '';
	let at = 0;
	while (at < text.length) {
		const rest = text.slice(at);
		const comment = /^(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest)?.[0];
		const quoted = /^(?:'''[\s\S]*?'''|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/.exec(rest)?.[0];
		const char = rest[0] ?? '';
		if (comment === undefined) code += quoted ?? char;
		if (comment === undefined && quoted === undefined) {
			if (char === "'" || char === '"') return { code, problem: 'has a quote that does not close' };
			const closer = closers[char];
			if (closer !== undefined) open.push(closer);
			else if (Object.values(closers).includes(char) && open.pop() !== char)
				return { code, problem: `has a ${char} too many` };
		}
		at += (comment ?? quoted ?? char).length;
	}
	const missing = open.at(-1);
	return { code, problem: missing === undefined ? undefined : `lacks a ${missing}` };
}
