/** How much the suites do: all of it with S3QL_TEST_LONG=1, a few minutes' worth without. */
export const LONG: boolean = process.env.S3QL_TEST_LONG === '1';
