export const measureReads = async () => [];
