/**
 * Cities and the networks of universities and research networks that stand in them: coordinates from atlases,
 * networks and countries from the registries. The nearest regions were worked out apart from this code, on the
 * WGS-84 ellipsoid (Vincenty's formula); two stand where they are a tie, by distances that differ by less than 1 %.
 */

export interface City {
	readonly name: string;
	/** Degrees north and east. */
	readonly at: readonly [latitude: number, longitude: number];
	readonly network: string;
	readonly country: string;
	readonly nearest: string;
}

/** Where large clouds have regions. */
export const REGIONS = {
	virginia: [39.04, -77.49],
	oregon: [45.84, -119.7],
	dublin: [53.35, -6.26],
	frankfurt: [50.11, 8.68],
	tokyo: [35.68, 139.77],
	singapore: [1.35, 103.82],
	sydney: [-33.87, 151.21],
	mumbai: [19.08, 72.88],
	'sao-paulo': [-23.55, -46.63],
	'cape-town': [-33.92, 18.42],
	bahrain: [26.07, 50.55],
} as const;

type Row = readonly [
	name: string,
	latitude: number,
	longitude: number,
	network: string,
	country: string,
	nearest: string,
];

// biome-ignore format: a table
const ROWS: readonly Row[] = [
	['Cambridge MA', 42.36, -71.09, '18.0.0.0/11', 'US', 'virginia'], // 654 km
	['Stanford', 37.43, -122.17, '171.64.0.0/14', 'US', 'oregon'], // 956 km
	['Berkeley', 37.87, -122.26, '128.32.0.0/16', 'US', 'oregon'], // 910 km
	['Pasadena', 34.14, -118.13, '131.215.0.0/16', 'US', 'oregon'], // 1306 km
	['Seattle', 47.66, -122.31, '128.95.0.0/16', 'US', 'oregon'], // 284 km
	['Austin', 30.28, -97.74, '128.83.0.0/16', 'US', 'virginia'], // 2088 km
	['Chicago', 41.79, -87.6, '128.135.0.0/16', 'US', 'virginia'], // 910 km
	['Boulder', 40.01, -105.27, '128.138.0.0/16', 'US', 'oregon'], // 1341 km
	['Atlanta', 33.78, -84.4, '130.207.0.0/16', 'US', 'virginia'], // 851 km
	['Miami', 25.72, -80.28, '129.171.0.0/16', 'US', 'virginia'], // 1500 km
	['New York', 40.81, -73.96, '128.59.0.0/16', 'US', 'virginia'], // 360 km
	['Minneapolis', 44.97, -93.23, '128.101.0.0/16', 'US', 'virginia'], // 1457 km
	['Honolulu', 21.3, -157.82, '128.171.0.0/16', 'US', 'oregon'], // 4398 km
	['Fairbanks', 64.86, -147.85, '137.229.0.0/16', 'US', 'oregon'], // 2723 km
	['Toronto', 43.66, -79.4, '128.100.0.0/16', 'CA', 'virginia'], // 537 km
	['Montreal', 45.5, -73.58, '132.206.0.0/16', 'CA', 'virginia'], // 786 km
	['Vancouver', 49.26, -123.25, '142.103.0.0/16', 'CA', 'oregon'], // 465 km
	['Mexico City', 19.33, -99.19, '132.248.0.0/16', 'MX', 'virginia'], // 3021 km
	['Sao Paulo', -23.56, -46.73, '143.107.0.0/16', 'BR', 'sao-paulo'], // 10 km
	['Campinas', -22.82, -47.07, '143.106.0.0/16', 'BR', 'sao-paulo'], // 93 km
	['Santiago', -33.46, -70.66, '146.83.0.0/16', 'CL', 'sao-paulo'], // 2588 km
	['Cambridge', 52.2, 0.12, '131.111.0.0/16', 'GB', 'dublin'], // 449 km
	['Oxford', 51.75, -1.26, '129.67.0.0/16', 'GB', 'dublin'], // 383 km
	['Edinburgh', 55.94, -3.19, '129.215.0.0/16', 'GB', 'dublin'], // 350 km
	['London', 51.5, -0.17, '155.198.0.0/16', 'GB', 'dublin'], // 462 km
	['Dublin', 53.34, -6.25, '134.226.0.0/16', 'IE', 'dublin'], // 1 km
	['Zurich', 47.38, 8.55, '129.132.0.0/16', 'CH', 'frankfurt'], // 304 km
	['Lausanne', 46.52, 6.57, '128.178.0.0/15', 'CH', 'frankfurt'], // 429 km
	['Berlin', 52.51, 13.33, '130.149.0.0/16', 'DE', 'frankfurt'], // 420 km
	['Munich', 48.15, 11.57, '129.187.0.0/16', 'DE', 'frankfurt'], // 303 km
	['Aachen', 50.78, 6.08, '134.130.0.0/16', 'DE', 'frankfurt'], // 199 km
	['Stockholm', 59.35, 18.07, '130.237.0.0/16', 'SE', 'frankfurt'], // 1191 km
	['Uppsala', 59.85, 17.63, '130.238.0.0/16', 'SE', 'frankfurt'], // 1224 km
	['Lund', 55.71, 13.2, '130.235.0.0/16', 'SE', 'frankfurt'], // 693 km
	['Oslo', 59.94, 10.72, '129.240.0.0/16', 'NO', 'frankfurt'], // 1102 km
	['Trondheim', 63.42, 10.4, '129.241.0.0/16', 'NO', 'dublin|frankfurt'], // 1477 km
	['Helsinki', 60.17, 24.95, '128.214.0.0/16', 'FI', 'frankfurt'], // 1519 km
	['Milan', 45.48, 9.23, '131.175.0.0/16', 'IT', 'frankfurt'], // 516 km
	['Bologna', 44.5, 11.35, '137.204.0.0/16', 'IT', 'frankfurt'], // 655 km
	['Padua', 45.41, 11.88, '147.162.0.0/16', 'IT', 'frankfurt'], // 575 km
	['Barcelona', 41.39, 2.11, '147.83.0.0/16', 'ES', 'frankfurt'], // 1095 km
	['Madrid', 40.45, -3.73, '138.100.0.0/16', 'ES', 'dublin|frankfurt'], // 1446 km
	['Vienna', 48.21, 16.36, '131.130.0.0/16', 'AT', 'frankfurt'], // 598 km
	['Graz', 47.06, 15.45, '129.27.0.0/16', 'AT', 'frankfurt'], // 603 km
	['Prague', 50.1, 14.39, '147.32.0.0/15', 'CZ', 'frankfurt'], // 408 km
	['Krakow', 50.07, 19.92, '149.156.0.0/16', 'PL', 'frankfurt'], // 804 km
	['Athens', 37.98, 23.78, '147.102.0.0/16', 'GR', 'frankfurt'], // 1804 km
	['Leuven', 50.88, 4.7, '134.58.0.0/16', 'BE', 'frankfurt'], // 295 km
	['Delft', 52, 4.37, '131.180.0.0/16', 'NL', 'frankfurt'], // 368 km
	['Amsterdam', 52.36, 4.95, '145.18.0.0/16', 'NL', 'frankfurt'], // 361 km
	['Tel Aviv', 32.11, 34.8, '132.66.0.0/16', 'IL', 'bahrain'], // 1671 km
	['Haifa', 32.78, 35.02, '132.68.0.0/16', 'IL', 'bahrain'], // 1678 km
	['Johannesburg', -26.19, 28.03, '146.141.0.0/16', 'ZA', 'cape-town'], // 1261 km
	['Cape Town', -33.96, 18.46, '137.158.0.0/16', 'ZA', 'cape-town'], // 6 km
	['Pretoria', -25.75, 28.23, '137.215.0.0/16', 'ZA', 'cape-town'], // 1310 km
	['Tokyo', 35.71, 139.76, '133.11.0.0/16', 'JP', 'tokyo'], // 3 km
	['Kyoto', 35.03, 135.78, '130.54.0.0/16', 'JP', 'tokyo'], // 370 km
	['Seoul', 37.46, 126.95, '147.46.0.0/16', 'KR', 'tokyo'], // 1163 km
	['Daejeon', 36.37, 127.36, '143.248.0.0/16', 'KR', 'tokyo'], // 1120 km
	['Beijing', 40, 116.33, '166.111.0.0/16', 'CN', 'tokyo'], // 2112 km
	['Hong Kong', 22.28, 114.14, '147.8.0.0/16', 'HK', 'singapore'], // 2571 km
	['Taipei', 25.02, 121.54, '140.112.0.0/16', 'TW', 'tokyo'], // 2108 km
	['Singapore', 1.3, 103.78, '137.132.0.0/16', 'SG', 'singapore'], // 7 km
	['Bangkok', 13.74, 100.53, '161.200.0.0/16', 'TH', 'singapore'], // 1417 km
	['Melbourne', -37.8, 144.96, '128.250.0.0/16', 'AU', 'sydney'], // 713 km
	['Sydney', -33.89, 151.19, '129.78.0.0/16', 'AU', 'sydney'], // 3 km
	['Canberra', -35.28, 149.12, '150.203.0.0/16', 'AU', 'sydney'], // 247 km
	['Brisbane', -27.5, 153.01, '130.102.0.0/16', 'AU', 'sydney'], // 727 km
	['Auckland', -36.85, 174.77, '130.216.0.0/16', 'NZ', 'sydney'], // 2161 km
	['Dunedin', -45.87, 170.51, '139.80.0.0/16', 'NZ', 'sydney'], // 2112 km
	['Geneva', 46.23, 6.05, '2001:1458::/32', 'CH', 'frankfurt'], // 474 km
	['Bern', 46.95, 7.44, '2001:620::/32', 'CH', 'frankfurt'], // 363 km
	['Paris', 48.85, 2.35, '2001:660::/32', 'FR', 'frankfurt'], // 479 km
	['Hannover', 52.37, 9.73, '2001:638::/32', 'DE', 'frankfurt'], // 262 km
	['Manchester', 53.48, -2.24, '2001:630::/32', 'GB', 'dublin'], // 268 km
	['Chiyoda', 35.69, 139.76, '2001:2f8::/32', 'JP', 'tokyo'], // 1 km
	['Goteborg', 57.71, 11.97, '2001:6b0::/32', 'SE', 'frankfurt'], // 873 km
	['Utrecht', 52.09, 5.12, '2001:610::/32', 'NL', 'frankfurt'], // 333 km
	['Ann Arbor', 42.28, -83.74, '2001:468::/32', 'US', 'virginia'], // 639 km
];

export const CITIES: readonly City[] = ROWS.map(([name, latitude, longitude, network, country, nearest]) => ({
	name,
	at: [latitude, longitude],
	network,
	country,
	nearest,
}));
