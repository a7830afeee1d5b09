import type { EventReader } from '../model/event-stream.ts';
import { decideFromAnswers, decideNothing } from '../prompts/from-answers.ts';
import type { Known } from '../prompts/known-answers.ts';
import { lineOf } from '../text/safe.ts';
import { junitReader } from '../view/junit.ts';
import { ndjsonReader } from '../view/ndjson.ts';
import { summaryReader } from '../view/summary-line.ts';
import { type Frontend, reportInText } from './frontend.ts';
import { type RunRequest, resumeCommand } from './run/request.ts';

/** Nobody is asked: what was passed decides, and the output is text or data. */
export function unattendedFrontend(request: RunRequest, known: Known): Frontend {
	const { mode, options, passed, terminal, opened } = request;
	const looksOnly = mode === 'check' || mode === 'plan';
	const isText = options.format === 'text';
	const report = readerFor(request);
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

function readerFor(request: RunRequest): EventReader {
	const { mode, options, terminal } = request;
	switch (options.format) {
		case 'text':
			return reportInText(request);
		case 'json':
			return ndjsonReader(terminal.out);
		case 'junit':
			return junitReader(terminal.out);
		case 'summary':
			return summaryReader(terminal.out, mode);
		default:
			return options.format satisfies never;
	}
}
