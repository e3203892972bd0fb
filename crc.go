package holdfast

// The checksum of a joined text follows from the checksums of its parts: to put n bytes behind a text
// multiplies its CRC by x to the power of 8n, modulo the CRC's polynomial, and adds that of the new
// bytes. Polynomials stand bit-reversed, as in CRC-32 itself: x to the power of 0 is the highest bit.

const (
	crcPolynomial = 0xedb88320
	crcOne        = 1 << 31
)

// crcShift is the factor for some number of bytes.
type crcShift uint32

// shiftFor returns the factor for n bytes, in a number of steps that grows with the digits of n.
func shiftFor(n int) crcShift {
	factor, power := uint32(crcOne), uint32(crcOne>>8) // power is x^8, then its square, and so on
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			factor = crcMultiply(factor, power)
		}
		power = crcMultiply(power, power)
	}
	return crcShift(factor)
}

// joinCRC returns the checksum of a text with checksum a, followed by one with checksum b.
func joinCRC(a, b uint32, shift crcShift) uint32 { return crcMultiply(uint32(shift), a) ^ b }

// crcMultiply multiplies two polynomials modulo the CRC's.
func crcMultiply(a, b uint32) uint32 {
	var product uint32
	for bit := uint32(crcOne); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crcPolynomial
		}
	}
	return product
}
