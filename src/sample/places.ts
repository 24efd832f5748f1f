/** The places of the sample: an uneven tree of regions with real ports under their UN/LOCODE codes. Of our own making. */

export interface SamplePlace {
  code: string;
  name: string;
  parent: string | null;
}

/** `slug|name|parent`, parents first. */
const regionLines = `
asia|Asia|
east_asia|East Asia|asia
china|China|east_asia
china_north|North China|china
china_central|Central China|china
yangtze_delta|Yangtze Delta|china_central
china_south|South China|china
pearl_river_delta|Pearl River Delta|china_south
japan|Japan|east_asia
korea|Korea|east_asia
south_east_asia|South-East Asia|asia
malacca_strait|Malacca Strait|south_east_asia
south_asia|South Asia|asia
persian_gulf|Persian Gulf|asia
europe|Europe|
north_europe|North Europe|europe
north_sea|North Sea|north_europe
benelux|Benelux|north_sea
british_isles|British Isles|north_europe
baltic_sea|Baltic Sea|north_europe
baltic_states|Baltic States|baltic_sea
gulf_of_finland|Gulf of Finland|baltic_sea
nordics|Nordics|north_europe
norway_coast|Norwegian Coast|nordics
mediterranean|Mediterranean|europe
west_mediterranean|West Mediterranean|mediterranean
east_mediterranean|East Mediterranean|mediterranean
iberia|Iberia|europe
north_america|North America|
us_west_coast|US West Coast|north_america
us_east_coast|US East Coast|north_america
us_gulf_coast|US Gulf Coast|north_america
south_america|South America|
south_america_east|South America East Coast|south_america
africa|Africa|
oceania|Oceania|
`;

/** `code|name|parent`. */
const portLines = `
CNGGZ|Guangzhou|pearl_river_delta
CNYTN|Yantian|pearl_river_delta
CNSHK|Shekou|pearl_river_delta
CNNSA|Nansha|pearl_river_delta
HKHKG|Hong Kong|pearl_river_delta
CNXMN|Xiamen|china_south
CNFOC|Fuzhou|china_south
CNZHA|Zhanjiang|china_south
CNSHA|Shanghai|yangtze_delta
CNNGB|Ningbo|yangtze_delta
CNNKG|Nanjing|yangtze_delta
CNLYG|Lianyungang|china_central
CNTAO|Qingdao|china_north
CNTXG|Xingang|china_north
CNDLC|Dalian|china_north
CNYNT|Yantai|china_north
TWKHH|Kaohsiung|east_asia
TWKEL|Keelung|east_asia
JPTYO|Tokyo|japan
JPYOK|Yokohama|japan
JPUKB|Kobe|japan
JPOSA|Osaka|japan
JPNGO|Nagoya|japan
JPHKT|Hakata|japan
KRPUS|Busan|korea
KRINC|Incheon|korea
KRKAN|Gwangyang|korea
SGSIN|Singapore|malacca_strait
MYPKG|Port Klang|malacca_strait
MYTPP|Tanjung Pelepas|malacca_strait
MYPEN|Penang|malacca_strait
VNSGN|Hồ Chí Minh City|south_east_asia
VNHPH|Hải Phòng|south_east_asia
VNCMT|Cái Mép|south_east_asia
THLCH|Laem Chabang|south_east_asia
THBKK|Bangkok|south_east_asia
IDJKT|Jakarta|south_east_asia
IDSUB|Surabaya|south_east_asia
PHMNL|Manila|south_east_asia
KHKOS|Sihanoukville|south_east_asia
INNSA|Nhava Sheva|south_asia
INMUN|Mundra|south_asia
INMAA|Chennai|south_asia
LKCMB|Colombo|south_asia
BDCGP|Chittagong|south_asia
PKKHI|Karachi|south_asia
AEJEA|Jebel Ali|persian_gulf
AEAUH|Abu Dhabi|persian_gulf
QAHMD|Hamad|persian_gulf
SADMM|Dammam|persian_gulf
SAJED|Jeddah|asia
NLRTM|Rotterdam|benelux
NLAMS|Amsterdam|benelux
BEANR|Antwerpen|benelux
BEZEE|Zeebrugge|benelux
DEHAM|Hamburg|north_sea
DEBRV|Bremerhaven|north_sea
DEWVN|Wilhelmshaven|north_sea
FRLEH|Le Havre|north_europe
FRDKK|Dunkerque|north_sea
GBFXT|Felixstowe|british_isles
GBSOU|Southampton|british_isles
GBLGP|London Gateway|british_isles
GBLIV|Liverpool|british_isles
IEDUB|Dublin|british_isles
EETLL|Tallinn|baltic_states
LVRIX|Rīga|baltic_states
LTKLJ|Klaipėda|baltic_states
PLGDN|Gdańsk|baltic_sea
PLGDY|Gdynia|baltic_sea
FIHEL|Helsinki|gulf_of_finland
FIKTK|Kotka|gulf_of_finland
RULED|Sankt-Peterburg|gulf_of_finland
SEGOT|Göteborg|nordics
SESTO|Stockholm|baltic_sea
SEHEL|Helsingborg|nordics
DKAAR|Århus|nordics
DKCPH|København|nordics
NOOSL|Oslo|norway_coast
NOBGO|Bergen|norway_coast
NOSVG|Stavanger|norway_coast
NOMAY|Måløy|norway_coast
ISREY|Reykjavík|nordics
ESBCN|Barcelona|west_mediterranean
ESVLC|València|west_mediterranean
ESALG|Algeciras|iberia
ESBIO|Bilbao|iberia
PTLIS|Lisboa|iberia
PTSIE|Sines|iberia
FRFOS|Fos-sur-Mer|west_mediterranean
ITGOA|Genova|west_mediterranean
ITSPE|La Spezia|west_mediterranean
ITTRS|Trieste|mediterranean
GRPIR|Piraeus|east_mediterranean
TRIST|İstanbul|east_mediterranean
TRMER|Mersin|east_mediterranean
EGPSD|Port Said|east_mediterranean
MTMAR|Marsaxlokk|mediterranean
USLAX|Los Angeles|us_west_coast
USLGB|Long Beach|us_west_coast
USOAK|Oakland|us_west_coast
USSEA|Seattle|us_west_coast
USNYC|New York|us_east_coast
USSAV|Savannah|us_east_coast
USCHS|Charleston|us_east_coast
USORF|Norfolk|us_east_coast
USHOU|Houston|us_gulf_coast
USMSY|New Orleans|us_gulf_coast
CAVAN|Vancouver|north_america
CAMTR|Montréal|north_america
MXZLO|Manzanillo|north_america
BRSSZ|Santos|south_america_east
BRRIO|Rio de Janeiro|south_america_east
ARBUE|Buenos Aires|south_america_east
UYMVD|Montevideo|south_america_east
CLSAI|San Antonio|south_america
PECLL|Callao|south_america
ZADUR|Durban|africa
ZACPT|Cape Town|africa
KEMBA|Mombasa|africa
NGLOS|Lagos|africa
MAPTM|Tanger Med|africa
AUSYD|Sydney|oceania
AUMEL|Melbourne|oceania
NZAKL|Auckland|oceania
`;

const read = (lines: string): readonly SamplePlace[] =>
  lines
    .trim()
    .split('\n')
    .map((line) => {
      const [code = '', name = '', parent = ''] = line.split('|');
      return { code, name, parent: parent === '' ? null : parent };
    });

export const sampleRegions = read(regionLines);
export const samplePorts = read(portLines);
