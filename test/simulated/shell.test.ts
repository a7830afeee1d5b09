import { describe, expect, it } from 'vitest';
import { hostOf } from './support.ts';

describe('the shell of the simulated host', () => {
	const ways = hostOf('fresh-ubuntu');
	const sh = (script: string) => ways.run(['sh', '-c', script]);

	it.each([
		['echo a; echo b', 'a\nb\n'],
		['true && echo yes || echo no', 'yes\n'],
		['false && echo yes || echo no', 'no\n'],
		['false; echo $?', '1\n'],
		['x=1; y="$x 2"; echo "$y" \'$x\' $x', '1 2 $x 1\n'],
		["for i in a b 'c d'; do echo $i; done", 'a\nb\nc d\n'],
		['n=0; while [ "$n" -lt 3 ]; do n=$((n + 1)); echo $n; done', '1\n2\n3\n'],
		['if [ -f /etc/hostname ]; then cat /etc/hostname; else echo none; fi', 'ci-07\n'],
		['if false; then echo a; elif true; then echo b; fi', 'b\n'],
		['echo one two | cut -d " " -f 2 | tr a-z A-Z', 'TWO\n'],
		['printf "%s-%s\\n" a b c d', 'a-b\nc-d\n'],
		['echo $(hostname)', 'ci-07\n'],
		['echo `echo nested $(echo deep)`', 'nested deep\n'],
		['(exit 3); echo $?', '3\n'],
		['{ echo a; echo b; } | wc -l', '2\n'],
		['echo a > /tmp/x; echo b >> /tmp/x; cat < /tmp/x', 'a\nb\n'],
		['cat /nosuch 2>/dev/null; echo $?', '1\n'],
		['ls /nosuch >/dev/null 2>&1; echo $?', '2\n'],
		['seq 1 3 | while read n; do echo x$n; done | head -1', 'x1\n'],
		['! false && echo inverted', 'inverted\n'],
		['set -e; false; echo never', ''],
		['cd /etc && pwd', '/etc\n'],
		// biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
		['echo ${NOSUCH:-fallback} ${#}', 'fallback 0\n'],
		['sleep 2 & sleep 1 & wait; echo done', 'done\n'],
		['command -v sh; command -v nosuch || echo none', '/usr/bin/sh\nnone\n'],
		['ls -d /etc/host*', '/etc/hostname\n/etc/hosts\n'],
		['test -S /run/docker.sock && echo socket', 'socket\n'],
		['grep -c processor /proc/cpuinfo', '8\n'],
		['head -n 1 /etc/os-release | sed s/PRETTY/UGLY/', 'UGLY_NAME="Ubuntu 24.04.3 LTS"\n'],
		['awk -F: \'$1=="anna"{print $3}\' /etc/passwd', '1000\n'],
	])('%s', async (script, out) => {
		expect((await sh(script)).out).toBe(out);
	});

	it('says what it cannot read', async () => {
		expect(await sh('echo "open')).toMatchObject({ code: 2, err: 'sh: syntax error: unterminated quoted string\n' });
		expect(await sh('for i in a; echo')).toMatchObject({ code: 2 });
		expect(await sh('/nosuch/program')).toMatchObject({ code: 127, err: 'sh: /nosuch/program: not found\n' });
	});

	it('ends an endless loop at the deadline, with a timeout', async () => {
		expect(await ways.run(['sh', '-c', 'while :; do :; done'], { timeoutMs: 2000 })).toMatchObject({
			code: null,
			problem: 'timeout',
		});
		expect((await ways.run(['timeout', '2', 'sh', '-c', 'while :; do :; done'])).code).toBe(124);
	});

	it('lets time pass while it sleeps, and not for what is in the background', async () => {
		const before = ways.host.clock.now();
		await sh('sleep 60 & sleep 2');
		expect(ways.host.clock.now() - before).toBeGreaterThanOrEqual(2000);
		expect(ways.host.clock.now() - before).toBeLessThan(10_000);
	});
});
