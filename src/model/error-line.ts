const most = 300;

/** Docker's hints on its refusals, in older and newer words, and mount's pointer to a log. They name no reason. */
const hints = /^(?:See|Run) '.*--help'|dmesg\(1\) may have more information|^-{3,}$/;

const errors =
	/\b(?:error|fatal|panic|denied|failed|failure|fails|refused|cannot|can't|could not|unable|invalid|not permitted|not found|no such|not implemented|not supported|unsafe|exceeded|killed|timed out)\b/i;

/** BuildKit's number of the step and time in front of a line. */
const buildStep = /^#\d+ (?:\d+\.\d+ )?/;

/** Lines that only say that something in them failed, above which stands what did. */
const withoutReason = /did not complete successfully: exit code|returned a non-zero code/;

/**
 * The line of a failed command's output that says why it failed: the last of standard error that speaks of an error,
 * else of standard output; without such a line the last line of all. At most 300 characters; empty when nothing was
 * printed. What a build prints before its error is progress, and on the same stream.
 */
export function errorLine(output: { readonly stdout: string; readonly stderr: string }): string {
	const [stderr, stdout] = [output.stderr, output.stdout].map(text =>
		text
			.split(/[\r\n]+/)
			.map(line => line.trim().replace(buildStep, ''))
			.filter(line => line !== '' && !hints.test(line)),
	) as [string[], string[]];
	const reasons = [stderr, stdout].map(lines => lines.filter(line => errors.test(line)));
	const line =
		reasons.map(lines => lines.findLast(found => !withoutReason.test(found))).find(found => found !== undefined) ??
		reasons.flat().at(-1) ??
		stderr.at(-1) ??
		stdout.at(-1) ??
		'';
	return shortened(line);
}

/** An error that wraps others has its cause at its end; else the beginning says more. */
function shortened(line: string): string {
	if (line.length <= most) return line;
	for (let from = line.indexOf(': '); from !== -1; from = line.indexOf(': ', from + 2)) {
		const cause = line.slice(from + 2);
		if (cause.length < most - 1) return cause.length > most / 3 ? `… ${cause}` : `${line.slice(0, most - 1)}…`;
	}
	return `${line.slice(0, most - 1)}…`;
}
