"""The kernel: time, truth and consent over sorted arrays. No Beam inside."""
