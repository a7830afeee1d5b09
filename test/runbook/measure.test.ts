import { test } from 'vitest';
import { scenarioState } from '../../src/host/simulated/scenarios.ts';
import { hostIn, hostOf, runbook } from './whole-runbook.ts';
test('measure', async () => {
	const s = scenarioState('fresh-ubuntu');
	for (const [k, v] of Object.entries(s)) { const n = JSON.stringify(v)?.length ?? 0; if (n > 2000) console.log(k, n); }
	let t = performance.now(); for (let i = 0; i < 100; i++) structuredClone(s); console.log('clone', (performance.now() - t) / 100);
	let n = 0, c = 0;
	const host = hostIn(s);
	const e = host.exec, r = host.run; let te = 0;
	(host as any).exec = async (a: any, o: any) => { n++; const t = performance.now(); try { return await e(a, o); } finally { te += performance.now() - t; } };
	(host as any).run = async (a: any, o: any) => { c++; return r(a, o); };
	await runbook(host);
	t = performance.now(); const cpu = process.cpuUsage();
	await runbook(host);
	const u = process.cpuUsage(cpu);
	console.log('second run', performance.now() - t, 'cpu', u.user / 1000, 'execs', n, 'runs', c, 'exec time', te);
	console.log('state now', JSON.stringify(host.state()).length, Object.entries(host.state()).map(([k, v]) => [k, JSON.stringify(v)?.length ?? 0]).filter(([, n]) => Number(n) > 2000));
}, 60000);
