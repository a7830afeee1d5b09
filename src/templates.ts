import { readFile } from 'node:fs/promises';
import { Eta } from 'eta/core';

/**
 * The files of ../templates. The directory lies beside src/ and beside dist/ alike, so the same relative path serves the
 * sources and the built chunks (which all lie directly in dist/).
 */
export const templateNames = [
	'docker-compose.sysbox.yml',
	'gitlab-runner.config.toml',
	'gitlab-ci.example.yml',
	'docker-compose.jenkins-agent.yml',
	'Jenkinsfile.sysbox',
] as const;

export type TemplateName = (typeof templateNames)[number];

export type TemplateTexts = Readonly<Record<TemplateName, string>>;

/** The text of one template, as it was shipped. */
export function templateText(name: TemplateName): Promise<string> {
	return readFile(new URL(`../templates/${name}.eta`, import.meta.url), 'utf8');
}

export async function templateTexts(): Promise<TemplateTexts> {
	const texts = await Promise.all(templateNames.map(async name => [name, await templateText(name)] as const));
	return Object.fromEntries(texts) as Record<TemplateName, string>;
}

/** Escaping is for HTML, and trimming would eat the indentation of YAML. */
const eta = new Eta({ autoEscape: false, autoTrim: false });

/**
 * Renders a template's text. Pure. A value that the template names and nobody gave is an error: eta would print the
 * word `undefined` into a file.
 */
export function renderTemplate(text: string, values: Readonly<Record<string, unknown>>): string {
	return eta.renderString(text, strict(values, 'it'));
}

function strict(values: object, path: string): object {
	return new Proxy(values, {
		get(target, key) {
			if (typeof key === 'symbol') return undefined;
			const value: unknown = Object.hasOwn(target, key) ? Reflect.get(target, key) : undefined;
			if (value === undefined || value === null) throw new Error(`the template needs ${path}.${key}`);
			return typeof value === 'object' ? strict(value, `${path}.${key}`) : value;
		},
	});
}
