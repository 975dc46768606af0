/**
 * All keys in Redis, behind the prefix.
 *
 * | key                    | type   | holds                                                                | written by        |
 * |------------------------|--------|----------------------------------------------------------------------|-------------------|
 * | `head`                 | string | signed: {epoch, generation, hash, parent}                            | commit, restore   |
 * | `index`                | hash   | for each item its id, and `VERSION ETAG`; the head's hash covers it  | commit, restore   |
 * | `item:ID@VERSION`      | string | JSON of the item; the etag is its SHA-256                            | commit, restore   |
 * | `history`              | list   | signed: generations, newest first                                    | commit, restore   |
 * | `history:octets`       | string | length of the history with the items that it keeps                   | commit, restore   |
 * | `probers`              | sorted set | probers, by when they published last                              | every prober      |
 * | `prober:INSTANCE`      | string | signed: the record of a prober; goes 30 days after the last one       | that prober       |
 * | `lease:INSTANCE`       | string | signed: {instance, incarnation}; goes when it is not renewed           | that prober       |
 * | `incarnation:INSTANCE` | string | the last incarnation                                                 | that prober       |
 * | `instances`            | sorted set | instances, by when they announced themselves last                | every instance    |
 * | `instance:INSTANCE`    | string | signed: what an instance tells of itself; goes a day after the last   | that instance     |
 * | `hints`                | channel | `head`, or `prober INSTANCE`: that there is something to read          | all               |
 *
 * VERSION is chosen by who commits, once for each commit, so that an item is never written over: whoever has read the
 * index finds what it names. It goes when the generation that replaced it leaves the history.
 */

export class RedisKeys {
	readonly prefix: string;
	readonly head: string;
	readonly index: string;
	readonly history: string;
	readonly historyOctets: string;
	readonly probers: string;
	readonly instances: string;
	readonly hints: string;

	constructor(prefix: string) {
		this.prefix = prefix;
		this.head = `${prefix}head`;
		this.index = `${prefix}index`;
		this.history = `${prefix}history`;
		this.historyOctets = `${prefix}history:octets`;
		this.probers = `${prefix}probers`;
		this.instances = `${prefix}instances`;
		this.hints = `${prefix}hints`;
	}

	item(id: string, version: string): string {
		return `${this.prefix}item:${id}@${version}`;
	}

	prober(instance: string): string {
		return `${this.prefix}prober:${instance}`;
	}

	instance(instance: string): string {
		return `${this.prefix}instance:${instance}`;
	}

	lease(instance: string): string {
		return `${this.prefix}lease:${instance}`;
	}

	incarnation(instance: string): string {
		return `${this.prefix}incarnation:${instance}`;
	}
}
