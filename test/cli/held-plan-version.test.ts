import { expect, test } from 'vitest';
import { checkHeldTo } from '../../src/cli/plan-file.ts';
import { WrongInput } from '../../src/model/wrong-input.ts';
import { aroundRun, hostOf } from '../runbook/whole-runbook.ts';

test('a plan of another version names that version, and no package of a registry that is not ours', () => {
	const { environment } = aroundRun(hostOf('fresh-ubuntu'), {}, '/nowhere');
	const { host, machine } = environment;
	const made = { tool: '0.0.1', at: '', user: 'anna', command: [] };
	const plan = { made, host: { name: host.identity.hostname, machine, simulated: environment.simulated } };
	const held = { file: 'plan.json', plan } as unknown as Parameters<typeof checkHeldTo>[0];
	const refused = (): unknown => {
		try {
			return checkHeldTo(held, environment);
		} catch (error) {
			return error;
		}
	};
	expect(refused()).toBeInstanceOf(WrongInput);
	expect(refused()).toMatchObject({ next: ['run it with sysbox-setup 0.0.1', expect.stringContaining('plan --out')] });
});
