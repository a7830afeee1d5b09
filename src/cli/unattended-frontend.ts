import { decideFromAnswers, decideNothing } from '../prompts/from-answers.ts';
import type { Known } from '../prompts/known-answers.ts';
import { lineOf } from '../text/safe.ts';
import { ndjsonReader } from '../view/ndjson.ts';
import { type Frontend, reportInText } from './frontend.ts';
import { type RunRequest, resumeCommand } from './run/request.ts';

/** Nobody is asked: what was passed decides, and the output is text or NDJSON. */
export function unattendedFrontend(request: RunRequest, known: Known): Frontend {
	const { mode, options, passed, terminal, opened } = request;
	const looksOnly = mode === 'check' || mode === 'plan';
	const isText = options.format === 'text';
	const report = isText ? reportInText(request) : ndjsonReader(terminal.out);
	let outcome: string | undefined;
	return {
		decider: looksOnly ? decideNothing(known) : decideFromAnswers({ ...known, risks: passed.risks }),
		reader: (event, state) => {
			outcome = state.end?.outcome;
			report(event, state);
		},
		begin: async () => ({ kind: 'go-on' }),
		async end() {
			if ((outcome === 'interrupted' || outcome === 'failed') && isText && opened !== undefined)
				terminal.err(lineOf(`${mode === 'test' ? 'start again with' : 'go on with'}:  ${resumeCommand(request)}`));
		},
		wantsUndo: () => false,
	};
}
