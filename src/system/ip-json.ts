import * as z from 'zod';
import { orEmptyList, orEmptyText, type Reading, read, readJson } from './reading.ts';

export interface InterfaceAddress {
	readonly interface: string;
	readonly address: string;
	readonly prefix: number;
	readonly up: boolean;
}

const addressSchema = z.array(
	z.object({
		ifname: orEmptyText,
		flags: orEmptyList(z.string()),
		addr_info: orEmptyList(z.object({ family: orEmptyText, local: orEmptyText, prefixlen: z.number().optional() })),
	}),
);

/** `ip -j -4 addr`: one entry an address. Other families are left out. */
export function parseAddresses(text: unknown): Reading<readonly InterfaceAddress[]> {
	const json = readJson(text, addressSchema, 'ip addr');
	if (json.kind !== 'ok') return json;
	return read(
		json.value.flatMap(link =>
			link.addr_info
				.filter(a => a.family === 'inet' && a.local !== '')
				.map(a => ({
					interface: link.ifname,
					address: a.local,
					prefix: a.prefixlen ?? 32,
					up: link.flags.includes('UP'),
				})),
		),
	);
}

export interface Route {
	/** `default`, or a network in CIDR form. */
	readonly to: string;
	readonly via?: string | undefined;
	readonly interface: string;
}

const routeSchema = z.array(z.object({ dst: orEmptyText, gateway: z.string().optional(), dev: orEmptyText }));

/** `ip -j -4 route`. */
export function parseRoutes(text: unknown): Reading<readonly Route[]> {
	// iproute2 prints nothing at all, not even [], when there is no route.
	const json = readJson(typeof text === 'string' && text.trim() === '' ? '[]' : text, routeSchema, 'ip route');
	if (json.kind !== 'ok') return json;
	return read(json.value.map(r => ({ to: r.dst, via: r.gateway, interface: r.dev })));
}
