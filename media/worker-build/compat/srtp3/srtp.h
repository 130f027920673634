// The part of libsrtp 3's interface that mediasoup uses, over the system's libsrtp 2.
//
// What differs: a policy is an opaque handle with setters, not a struct; protect and unprotect have separate
// input and output buffers, not one in place. Everything else passes through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

// The one name that means different things in the two versions.
#define srtp_policy_t libsrtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

/** Error codes new in libsrtp 3, for mediasoup's table of messages. */
inline constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
inline constexpr auto srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(29);

struct SrtpPolicy
{
	libsrtp2_policy_t policy{};
	/** Master key, then master salt: libsrtp 2 wants them joined. */
	uint8_t key[SRTP_MAX_KEY_LEN]{};
};
using srtp_policy_t = SrtpPolicy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new (std::nothrow) SrtpPolicy;

	if (*policy == nullptr)
	{
		return srtp_err_status_alloc_fail;
	}

	(*policy)->policy.key = (*policy)->key;

	return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	if (policy != nullptr)
	{
		// Volatile, so that wiping the key is not optimised away.
		volatile uint8_t* key = policy->key;

		for (size_t i = 0; i < sizeof(policy->key); ++i)
		{
			key[i] = 0;
		}
	}

	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const auto status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
}

/** One key without MKI, which is all that DTLS-SRTP and SDES as mediasoup does them need. */
inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* /*mki*/,
  size_t mkiLen)
{
	if (keyLen + saltLen > sizeof(policy->key) || mkiLen != 0)
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->key, key, keyLen);
	std::memcpy(policy->key + keyLen, salt, saltLen);

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t windowSize)
{
	policy->policy.window_size = windowSize;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return srtp_create(session, static_cast<const libsrtp2_policy_t*>(&policy->policy));
}

/** SSRC in network order, as libsrtp 2 wants it and mediasoup gives it. */
inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}

namespace srtp3
{
	using InPlace = srtp_err_status_t (*)(srtp_t, void*, int*);

	/**
	 * Runs one of libsrtp 2's in-place functions from `in` to `out`. `*outLen` is the room in `out`, then the
	 * length of the result; `growth` is what the function may add.
	 */
	inline srtp_err_status_t run(
	  InPlace function, srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t growth)
	{
		if (*outLen < inLen + growth)
		{
			return srtp_err_status_buffer_small;
		}

		if (in != out)
		{
			std::memcpy(out, in, inLen);
		}

		int length        = static_cast<int>(inLen);
		const auto status = function(session, out, &length);

		if (status == srtp_err_status_ok)
		{
			*outLen = static_cast<size_t>(length);
		}

		return status;
	}
} // namespace srtp3

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* rtp, size_t rtpLen, uint8_t* srtp, size_t* srtpLen, size_t /*mkiIndex*/)
{
	const srtp3::InPlace protect = srtp_protect;

	return srtp3::run(protect, session, rtp, rtpLen, srtp, srtpLen, SRTP_MAX_TRAILER_LEN);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* srtp, size_t srtpLen, uint8_t* rtp, size_t* rtpLen)
{
	const srtp3::InPlace unprotect = srtp_unprotect;

	return srtp3::run(unprotect, session, srtp, srtpLen, rtp, rtpLen, 0);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* rtcp, size_t rtcpLen, uint8_t* srtcp, size_t* srtcpLen, size_t /*mkiIndex*/)
{
	const srtp3::InPlace protect = srtp_protect_rtcp;
	// SRTCP adds the E flag and index, 32 bits, to the trailer (RFC 3711 3.4).
	constexpr size_t growth = SRTP_MAX_TRAILER_LEN + sizeof(uint32_t);

	return srtp3::run(protect, session, rtcp, rtcpLen, srtcp, srtcpLen, growth);
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* srtcp, size_t srtcpLen, uint8_t* rtcp, size_t* rtcpLen)
{
	const srtp3::InPlace unprotect = srtp_unprotect_rtcp;

	return srtp3::run(unprotect, session, srtcp, srtcpLen, rtcp, rtcpLen, 0);
}
