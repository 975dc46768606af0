/**
 * ISO 3166-2 codes by English name, for databases that name a state and give no code. The countries whose states
 * people steer by, and whose names are spelt alike everywhere.
 */

const NAMES: Readonly<Record<string, string>> = {
	US:
		'AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,' +
		'DC District of Columbia,DC Washington D.C.,FL Florida,GA Georgia,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,' +
		'IA Iowa,KS Kansas,KY Kentucky,LA Louisiana,ME Maine,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,' +
		'MS Mississippi,MO Missouri,MT Montana,NE Nebraska,NV Nevada,NH New Hampshire,NJ New Jersey,NM New Mexico,' +
		'NY New York,NC North Carolina,ND North Dakota,OH Ohio,OK Oklahoma,OR Oregon,PA Pennsylvania,RI Rhode Island,' +
		'SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,UT Utah,VT Vermont,VA Virginia,WA Washington,' +
		'WV West Virginia,WI Wisconsin,WY Wyoming',
	CA:
		'AB Alberta,BC British Columbia,MB Manitoba,NB New Brunswick,NL Newfoundland and Labrador,NS Nova Scotia,' +
		'NT Northwest Territories,NU Nunavut,ON Ontario,PE Prince Edward Island,QC Quebec,QC Québec,SK Saskatchewan,' +
		'YT Yukon',
	AU:
		'ACT Australian Capital Territory,NSW New South Wales,NT Northern Territory,QLD Queensland,SA South Australia,' +
		'TAS Tasmania,VIC Victoria,WA Western Australia',
	GB: 'ENG England,NIR Northern Ireland,SCT Scotland,WLS Wales',
};

const BY_NAME: ReadonlyMap<string, string> = new Map(
	Object.entries(NAMES).flatMap(([country, list]) =>
		list.split(',').map((entry) => {
			const space = entry.indexOf(' ');
			return [`${country} ${entry.slice(space + 1).toLowerCase()}`, `${country}-${entry.slice(0, space)}`] as const;
		}),
	),
);

export function subdivisionNamed(country: string, name: string): string | undefined {
	return BY_NAME.get(`${country} ${name.toLowerCase()}`);
}
