/**
 * Addresses go into YAML, TOML and a shell line of a comment, and Docker Compose reads `$` in them: so only what an
 * address needs is taken, and no user or password.
 */
const address = /^https?:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/;

export function serverUrlProblem(url: string, rules: { readonly https: boolean }): string | undefined {
	if (/^[a-z]+:\/\/[^/]*@/i.test(url)) return 'must not hold a user or a password';
	if (!address.test(url)) return 'must be an address such as https://ci.example.com/';
	if (rules.https && !url.startsWith('https://'))
		return 'must begin with https://, as the runner sends its token there';
	return undefined;
}
