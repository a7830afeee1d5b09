#!/usr/bin/env node
// Parsed by whatever node is there: old syntax only, and nothing imported before the version is known.
declare const __VERSION__: string;

var wanted = [20, 19];
var have = process.versions.node.split('.').map(Number);
if ((have[0] || 0) < 20 || (have[0] === 20 && (have[1] || 0) < 19)) {
	process.stderr.write(
		'sysbox-setup needs Node.js ' + wanted.join('.') + ' or newer; this is ' + process.versions.node + '.\n',
	);
	process.exitCode = 2;
} else if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
	process.stdout.write(__VERSION__ + '\n');
} else {
	// A computed name keeps bundlers and the type checker from following it.
	import('./main.js' as string).then(main => main.main(process.argv.slice(2)));
}
