import { renderTemplate, type TemplateName, type TemplateTexts } from '../../src/templates.ts';
import { composeProblems } from './check-compose.ts';
import { gitlabCiProblems } from './check-gitlab-ci.ts';
import { jenkinsfileProblems } from './check-jenkinsfile.ts';
import { runnerConfigProblems } from './check-runner-config.ts';
import type { Settings, System } from './settings.ts';

/** One file that this step writes. */
export interface FileKind {
	/** Its name in the directory, and the template's. */
	readonly name: TemplateName;
	readonly system: System;
	/** For a new file. */
	readonly mode: number;
	/** Completes "Write NAME: …". */
	readonly what: string;
	/** What a person does for jobs to use it; its own first lines have the commands. */
	readonly next?: string | undefined;
	readonly check: (text: string) => readonly string[];
}

export const fileKinds: readonly FileKind[] = [
	{
		name: 'docker-compose.sysbox.yml',
		system: 'compose',
		mode: 0o644,
		what: 'a Docker engine for CI jobs, and a job that uses it',
		next: 'Compose: start docker-compose.sysbox.yml; set up jobs like its job',
		check: composeProblems,
	},
	{
		name: 'gitlab-runner.config.toml',
		system: 'gitlab',
		// Somebody may put the token in after all.
		mode: 0o600,
		what: 'a runner whose jobs and services run under Sysbox',
		next: 'GitLab: make a runner with the tag sysbox, register it, tag the jobs',
		check: runnerConfigProblems,
	},
	{
		name: 'gitlab-ci.example.yml',
		system: 'gitlab',
		mode: 0o644,
		what: 'a job for that runner',
		check: gitlabCiProblems,
	},
	{
		name: 'docker-compose.jenkins-agent.yml',
		system: 'jenkins',
		mode: 0o644,
		what: 'a Jenkins agent with a Docker engine of its own',
		next: 'Jenkins: make a node with the label sysbox, start its agent, use it',
		check: composeProblems,
	},
	{
		name: 'Jenkinsfile.sysbox',
		system: 'jenkins',
		mode: 0o644,
		what: 'a pipeline for that agent',
		check: jenkinsfileProblems,
	},
];

export interface RenderedFile {
	readonly kind: FileKind;
	readonly text: string;
	/** What its own check holds against it. Anything here is a mistake of this tool. */
	readonly problems: readonly string[];
}

export function renderFiles(
	templates: TemplateTexts,
	settings: Settings,
	systems: readonly System[],
): readonly RenderedFile[] {
	return fileKinds
		.filter(kind => systems.includes(kind.system))
		.map(kind => {
			const text = renderTemplate(templates[kind.name], settings);
			return { kind, text, problems: kind.check(text) };
		});
}

/** The first line of every file of ours, as a comment of YAML, TOML or Groovy. */
export const isOurs = (text: string): boolean => /^\uFEFF?(?:#|\/\/) Written by sysbox-setup\b/.test(text);
