/**
 * $GENERATE, as BIND defines it: a range, and text in which `$` becomes each number of the range.
 *
 * | in the text               | becomes                                                             |
 * |---------------------------|---------------------------------------------------------------------|
 * | `$`                       | the number                                                          |
 * | `${offset,width,base}`    | the number and offset, zero-padded; base d, o, x or X, d by default |
 * | `${offset,width,n}`       | hex digits, lowest first, dots between; the dots count for width; N in capitals |
 * | `$$`, `\$`                | a plain `$`                                                         |
 */

/** In one file and all that it includes. */
export const STEPS_MAX = 65_536;
const VALUE_MAX = 0x7fffffff;
const WIDTH_MAX = 127;

export interface GenerateRange {
	readonly start: number;
	readonly step: number;
	/** How many numbers it has. */
	readonly steps: number;
}

/** `start-stop` or `start-stop/step`, or a sentence that says what is wrong. */
export function scanRange(text: string): GenerateRange | string {
	const [, startText, stopText, stepText = '1'] = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text) ?? [];
	const start = Number(startText);
	const stop = Number(stopText);
	const step = Number(stepText);
	if (!(start <= stop && stop <= VALUE_MAX && step >= 1 && step <= VALUE_MAX)) {
		return `Cannot use "${text}": expected start-stop or start-stop/step, start up to stop, below 2^31`;
	}
	return { start, step, steps: Math.floor((stop - start) / step) + 1 };
}

/** What the RDATA of several words stands for, whose quotes are gone: `\"` in it is a quote. */
export function unquote(text: string): string {
	return text.replace(/\\(.)/gs, (pair, hidden) => (hidden === '"' ? hidden : pair));
}

type Expansion =
	| { readonly text: string; readonly problem?: undefined }
	| { readonly problem: string; readonly text?: undefined };

/** @param value  the number of this step */
export function expandTemplate(template: string, value: number): Expansion {
	let text = '';
	for (let at = 0; at < template.length; ) {
		const character = template.charAt(at);
		if (character === '\\') {
			// Whatever it hides, a `$` too, is for the scanner of names and strings.
			text += template.slice(at, at + 2);
			at += 2;
		} else if (character !== '$') {
			text += character;
			at++;
		} else if (template.charAt(at + 1) === '$') {
			text += '$';
			at += 2;
		} else {
			const end = template.charAt(at + 1) === '{' ? template.indexOf('}', at) : at;
			const format = end < 0 ? template.slice(at) : template.slice(at, end + 1);
			const number = formatNumber(format, value);
			if (number === undefined) return { problem: `Cannot use "${format}": ${FORMAT_EXPECTED}` };
			text += number;
			at += format.length;
		}
	}
	return { text };
}

const FORMAT_EXPECTED = `expected \${offset,width,base} with a width up to ${WIDTH_MAX} and a base d o x X n or N`;

function formatNumber(format: string, value: number): string | undefined {
	if (format === '$') return String(value);
	const match = /^\$\{([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?\}$/.exec(format);
	if (match === null) return undefined;
	const [, offset, widthText = '0', base = 'd'] = match;
	const width = Number(widthText);
	const sum = value + Number(offset);
	const isNibbles = base === 'n' || base === 'N';
	if (width > WIDTH_MAX || Math.abs(sum) > VALUE_MAX || (sum < 0 && base !== 'd')) return undefined;
	const digits = Math.abs(sum).toString(base === 'd' ? 10 : base === 'o' ? 8 : 16);
	const text = isNibbles ? nibbles(digits, width) : digits.padStart(sum < 0 ? width - 1 : width, '0');
	const cased = base === 'X' || base === 'N' ? text.toUpperCase() : text;
	return sum < 0 ? `-${cased}` : cased;
}

/** A width that ends behind a dot keeps the dot, as in BIND: an even width is for text that goes on with a label. */
function nibbles(digits: string, width: number): string {
	const reversed = [...digits].reverse().join('.');
	return reversed.length >= width ? reversed : reversed + '.0'.repeat(width).slice(0, width - reversed.length);
}
