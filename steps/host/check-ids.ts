import { hostChecks } from './checks/catalogue.ts';

/** The public ids of this step, and what each looks at: `check --list`. */
export const checkIds: readonly { readonly id: string; readonly about: string }[] = [
	...hostChecks.map(({ id, about }) => ({ id, about })),
	{ id: 'daemon-json.flags', about: "settings that stand both in daemon.json and in a flag of dockerd's unit" },
	{
		id: 'sysbox.known-issues',
		about: 'what is known of the versions of this host; each issue as sysbox.known-issues.NAME',
	},
];
