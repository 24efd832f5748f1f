/**
 * Random histories that a property is looked at in. On PostgreSQL 13 a tenth: there the question is whether the statements
 * mean the same, which the first of them tell.
 */
export const histories = process.env['FAIRWAY_TEST_POSTGRES'] === '13' ? 200 : 2_000;
