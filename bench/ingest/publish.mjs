export const measurePublish = async () => [];
