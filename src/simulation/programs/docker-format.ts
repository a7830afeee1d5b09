import { type Call, UnsimulatedCommand } from '../world.ts';

/** As Go prints a document: these three characters are escaped, so that it can stand in HTML. */
const goJson = (document: unknown): string =>
	JSON.stringify(document).replaceAll(/[<>&]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `{{.Field.Field}}`, `{{json .Field}}` and `{{json .}}`. */
const known = /\{\{(json )?\.([\w.]*)\}\}/g;

/** `--format` as this tool uses it. */
export function formatted(call: Call, template: string | undefined, document: Record<string, unknown>): string {
	if (template === undefined) throw new UnsimulatedCommand(call.argv, 'without --format');
	if (template.replaceAll(known, '').includes('{{'))
		throw new UnsimulatedCommand(call.argv, `the template ${template}`);
	const text = template.replaceAll(known, (_, json: string | undefined, path: string) => {
		const names = path.split('.').filter(name => name !== '');
		const value = names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
		return json === undefined ? String(value ?? '<no value>') : goJson(value ?? null);
	});
	return `${text}\n`;
}
